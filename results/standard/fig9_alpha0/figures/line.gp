# gnuplot line.gp draws line.svg and line.png from the data beside it.
line_1 = 'LayerNorm'
line_2 = 'alpha0'
x_name_1 = 'alpha0'
y_name_1 = 'validation accuracy (%)'
x_name = x_name_1
y_name = y_name_1
do for [kind in 'svg png'] {
reset
set encoding utf8
if (kind eq 'svg') { set terminal svg noenhanced size 453,358 font 'sans,12' background rgb 'white' } \
else { set terminal pngcairo noenhanced size 906,716 font 'sans,10' fontscale 2 linewidth 2 pointscale 2 background rgb 'white' }
set output 'line.'.kind
set datafile separator ','
small = kind eq 'svg' ? ',10.5' : ',8.75'
set border 3 linecolor rgb '#404040'
set tics nomirror out scale 0.6 textcolor rgb '#202020'
set grid ytics linetype 1 linecolor rgb '#e6e6e6' linewidth 1
unset key
set title offset 0,-0.5
set ylabel offset 1,0
set style line 1 linecolor rgb '#0072b2' linewidth 1.8 pointtype 7 pointsize 0.6
set style line 2 linecolor rgb '#d55e00' linewidth 1.8 pointtype 5 pointsize 0.6
set style line 3 linecolor rgb '#009e73' linewidth 1.8 pointtype 9 pointsize 0.7
set style line 4 linecolor rgb '#cc79a7' linewidth 1.8 pointtype 13 pointsize 0.7
set style line 5 linecolor rgb '#56b4e9' linewidth 1.8 pointtype 11 pointsize 0.7
set style line 6 linecolor rgb '#e69f00' linewidth 1.8 pointtype 6 pointsize 0.6
set style line 7 linecolor rgb '#000000' linewidth 1.8 pointtype 4 pointsize 0.6
set style line 8 linecolor rgb '#808080' linewidth 1.8 pointtype 8 pointsize 0.7
set multiplot layout 1,1 margins 0.1678,0.9625,0.2458,0.9721 spacing 0.2053,0.1899
set logscale x
set xrange [0.2:10]
set xtics ('0.25' 0.25, '0.5' 0.5, '1' 1, '2' 2, '4' 4, '8' 8)
set xlabel x_name noenhanced
set ylabel y_name noenhanced
unset logscale y
set ytics autofreq
set yrange [51.7075291:91.400095]
flat_left = 0.2
flat_width = 9.8
plot 'line.csv' skip 1 index 0 using (flat_left):3:(flat_width):(0) with vectors nohead linestyle 1 dashtype 2, \
  'line.csv' skip 1 index 1 using 2:3 with lines linestyle 1, \
  'line.csv' skip 1 index 1 using 2:3:4 with yerrorbars linestyle 1 pointsize 0.9
unset title
unset xlabel
unset ylabel
unset label
unset tics
unset border
unset grid
unset logscale
set xrange [0:1]
set yrange [0:1]
set lmargin at screen 0.01
set rmargin at screen 0.99
set bmargin at screen 0.0112
set tmargin at screen 0.0838
set key center center horizontal Left reverse samplen 2 maxrows 1 noenhanced
plot NaN with lines linestyle 1 dashtype 2 title line_1, NaN with linespoints linestyle 1 title line_2
unset multiplot
set output
}
