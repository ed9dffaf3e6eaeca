# gnuplot line.gp draws line.svg and line.png from the data beside it.
line_1 = 'LayerNorm, lr 0.001'
line_2 = 'LayerNorm, lr 0.002'
line_3 = 'LayerNorm, lr 0.004'
line_4 = 'LayerNorm, lr 0.008'
line_5 = 'lr 0.001'
line_6 = 'lr 0.002'
line_7 = 'lr 0.004'
line_8 = 'lr 0.008'
x_name_1 = 'alpha0'
y_name_1 = 'validation accuracy (%)'
x_name = x_name_1
y_name = y_name_1
do for [kind in 'svg png'] {
reset
set encoding utf8
if (kind eq 'svg') { set terminal svg noenhanced size 453,484 font 'sans,12' background rgb 'white' } \
else { set terminal pngcairo noenhanced size 906,968 font 'sans,10' fontscale 2 linewidth 2 pointscale 2 background rgb 'white' }
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
set multiplot layout 1,1 margins 0.1678,0.9625,0.4421,0.9793 spacing 0.2053,0.1405
set logscale x
set xrange [0.4:10]
set xtics ('0.5' 0.5, '1' 1, '2' 2, '4' 4, '8' 8)
set xlabel x_name noenhanced
set ylabel y_name noenhanced
unset logscale y
set ytics autofreq
set yrange [39.0911687:89.6967689]
flat_left = 0.4
flat_width = 9.6
plot 'line.csv' skip 1 index 0 using (flat_left):3:(flat_width):(0) with vectors nohead linestyle 1 dashtype 2, \
  'line.csv' skip 1 index 1 using (flat_left):3:(flat_width):(0) with vectors nohead linestyle 2 dashtype 2, \
  'line.csv' skip 1 index 2 using (flat_left):3:(flat_width):(0) with vectors nohead linestyle 3 dashtype 2, \
  'line.csv' skip 1 index 3 using (flat_left):3:(flat_width):(0) with vectors nohead linestyle 4 dashtype 2, \
  'line.csv' skip 1 index 4 using 2:3 with lines linestyle 1, \
  'line.csv' skip 1 index 4 using 2:3:4 with yerrorbars linestyle 1 pointsize 0.9, \
  'line.csv' skip 1 index 5 using 2:3 with lines linestyle 2, \
  'line.csv' skip 1 index 5 using 2:3:4 with yerrorbars linestyle 2 pointsize 0.9, \
  'line.csv' skip 1 index 6 using 2:3 with lines linestyle 3, \
  'line.csv' skip 1 index 6 using 2:3:4 with yerrorbars linestyle 3 pointsize 0.9, \
  'line.csv' skip 1 index 7 using 2:3 with lines linestyle 4, \
  'line.csv' skip 1 index 7 using 2:3:4 with yerrorbars linestyle 4 pointsize 0.9
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
set bmargin at screen 0.0083
set tmargin at screen 0.3223
set key center center horizontal Left reverse samplen 2 maxrows 8 noenhanced
plot NaN with lines linestyle 1 dashtype 2 title line_1, NaN with lines linestyle 2 dashtype 2 title line_2, NaN with lines linestyle 3 dashtype 2 title line_3, NaN with lines linestyle 4 dashtype 2 title line_4, NaN with linespoints linestyle 1 title line_5, NaN with linespoints linestyle 2 title line_6, NaN with linespoints linestyle 3 title line_7, NaN with linespoints linestyle 4 title line_8
unset multiplot
set output
}
