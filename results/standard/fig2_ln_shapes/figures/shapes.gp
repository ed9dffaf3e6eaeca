# gnuplot shapes.gp draws shapes.svg and shapes.png from the data beside it.
cell_1 = 'LayerNorm, lr tuned'
do for [kind in 'svg png'] {
reset
set encoding utf8
if (kind eq 'svg') { set terminal svg noenhanced size 786,348 font 'sans,12' background rgb 'white' } \
else { set terminal pngcairo noenhanced size 1572,696 font 'sans,10' fontscale 2 linewidth 2 pointscale 2 background rgb 'white' }
set output 'shapes.'.kind
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
set multiplot layout 1,2 margins 0.0967,0.9784,0.2529,0.9713 spacing 0.1183,0.1954
set xlabel 'norm layer, from the first'
set ylabel 'R² of a line'
unset logscale x
set xtics autofreq
set xrange [-0.96:24.96]
unset logscale y
set ytics autofreq
set yrange [0.841012:0.980998]
plot 'shapes.csv' skip 1 index 0 using 2:5 with linespoints linestyle 1
set ylabel 'R² of a tanh less that of a line'
unset logscale x
set xtics autofreq
set xrange [-0.96:24.96]
unset logscale y
set ytics autofreq
set yrange [0.00190013333:0.0200765333]
plot 'shapes.csv' skip 1 index 0 using 2:6 with linespoints linestyle 1
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
set bmargin at screen 0.0115
set tmargin at screen 0.0862
set key center center horizontal Left reverse samplen 2 maxrows 1 noenhanced
plot NaN with linespoints linestyle 1 title cell_1
unset multiplot
set output
}
