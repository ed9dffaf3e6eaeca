# gnuplot curves.gp draws curves.svg and curves.png from the data beside it.
cell_1 = 'LayerNorm, lr tuned'
cell_2 = 'DyT 0.5, lr of LayerNorm'
cell_3 = 'DyT 0.5, lr tuned'
cell_4 = 'DyT, alpha0 and lr tuned'
cell_5 = 'RMSNorm, lr of LayerNorm'
cell_6 = 'erf with shift, as tuned DyT'
do for [kind in 'svg png'] {
reset
set encoding utf8
if (kind eq 'svg') { set terminal svg noenhanced size 786,384 font 'sans,12' background rgb 'white' } \
else { set terminal pngcairo noenhanced size 1572,768 font 'sans,10' fontscale 2 linewidth 2 pointscale 2 background rgb 'white' }
set output 'curves.'.kind
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
set multiplot layout 1,2 margins 0.0967,0.9784,0.3229,0.9740 spacing 0.1183,0.1771
set xlabel 'step'
set ylabel 'training loss'
set xrange [0:3190.56]
set xtics 1000
unset logscale y
set ytics autofreq
set yrange [0.130217517:2.3663669]
plot 'curves_loss.csv' skip 1 index 0 using 2:4:5 with filledcurves linestyle 1 fillstyle transparent solid 0.2 noborder, \
  'curves_loss.csv' skip 1 index 1 using 2:4:5 with filledcurves linestyle 2 fillstyle transparent solid 0.2 noborder, \
  'curves_loss.csv' skip 1 index 2 using 2:4:5 with filledcurves linestyle 3 fillstyle transparent solid 0.2 noborder, \
  'curves_loss.csv' skip 1 index 3 using 2:4:5 with filledcurves linestyle 4 fillstyle transparent solid 0.2 noborder, \
  'curves_loss.csv' skip 1 index 4 using 2:4:5 with filledcurves linestyle 5 fillstyle transparent solid 0.2 noborder, \
  'curves_loss.csv' skip 1 index 5 using 2:4:5 with filledcurves linestyle 6 fillstyle transparent solid 0.2 noborder, \
  'curves_loss.csv' skip 1 index 0 using 2:3 with lines linestyle 1, \
  'curves_loss.csv' skip 1 index 1 using 2:3 with lines linestyle 2, \
  'curves_loss.csv' skip 1 index 2 using 2:3 with lines linestyle 3, \
  'curves_loss.csv' skip 1 index 3 using 2:3 with lines linestyle 4, \
  'curves_loss.csv' skip 1 index 4 using 2:3 with lines linestyle 5, \
  'curves_loss.csv' skip 1 index 5 using 2:3 with lines linestyle 6
set xlabel 'epoch'
set ylabel 'validation accuracy (%)'
set xrange [0:8.16]
set xtics 2
unset logscale y
set ytics autofreq
set yrange [64.9592:90.9008]
plot 'curves_accuracy.csv' skip 1 index 0 using 2:4:5 with filledcurves linestyle 1 fillstyle transparent solid 0.2 noborder, \
  'curves_accuracy.csv' skip 1 index 1 using 2:4:5 with filledcurves linestyle 2 fillstyle transparent solid 0.2 noborder, \
  'curves_accuracy.csv' skip 1 index 2 using 2:4:5 with filledcurves linestyle 3 fillstyle transparent solid 0.2 noborder, \
  'curves_accuracy.csv' skip 1 index 3 using 2:4:5 with filledcurves linestyle 4 fillstyle transparent solid 0.2 noborder, \
  'curves_accuracy.csv' skip 1 index 4 using 2:4:5 with filledcurves linestyle 5 fillstyle transparent solid 0.2 noborder, \
  'curves_accuracy.csv' skip 1 index 5 using 2:4:5 with filledcurves linestyle 6 fillstyle transparent solid 0.2 noborder, \
  'curves_accuracy.csv' skip 1 index 0 using 2:3 with linespoints linestyle 1, \
  'curves_accuracy.csv' skip 1 index 1 using 2:3 with linespoints linestyle 2, \
  'curves_accuracy.csv' skip 1 index 2 using 2:3 with linespoints linestyle 3, \
  'curves_accuracy.csv' skip 1 index 3 using 2:3 with linespoints linestyle 4, \
  'curves_accuracy.csv' skip 1 index 4 using 2:3 with linespoints linestyle 5, \
  'curves_accuracy.csv' skip 1 index 5 using 2:3 with linespoints linestyle 6
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
set bmargin at screen 0.0104
set tmargin at screen 0.1719
set key center center horizontal Left reverse samplen 2 maxrows 3 noenhanced
plot NaN with linespoints linestyle 1 title cell_1, NaN with linespoints linestyle 2 title cell_2, NaN with linespoints linestyle 3 title cell_3, NaN with linespoints linestyle 4 title cell_4, NaN with linespoints linestyle 5 title cell_5, NaN with linespoints linestyle 6 title cell_6
unset multiplot
set output
}
