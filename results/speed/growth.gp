# gnuplot growth.gp draws growth.svg and growth.png from growth.csv.
do for [kind in 'svg png'] {
reset
if (kind eq 'svg') { set terminal svg size 1000,800 font 'sans,12' background rgb 'white' } \
else { set terminal pngcairo size 1000,800 font 'sans,10' background rgb 'white' }
set output 'growth.'.kind
set datafile separator ','
unset key
set logscale xyy2
set ytics nomirror
set y2tics nomirror textcolor rgb '#cc79a7'
set grid xtics ytics linecolor rgb '#e0e0e0'
set ylabel 'a step (ms)'
set y2label 'activations of a worker (MiB)' textcolor rgb '#cc79a7'
set style line 1 linecolor rgb '#000000' linewidth 2 pointtype 7 pointsize 0.7
set style line 2 linecolor rgb '#0072b2' linewidth 2 pointtype 5 pointsize 0.7
set style line 3 linecolor rgb '#d55e00' linewidth 2 pointtype 9 pointsize 0.9
set style line 4 linecolor rgb '#009e73' linewidth 2 pointtype 11 pointsize 0.9
set style line 5 linecolor rgb '#cc79a7' linewidth 2 dashtype 2 pointtype 13 pointsize 0.9
set style line 6 linecolor rgb '#777777' linewidth 1.5 dashtype 3
set style line 7 linecolor rgb '#777777' linewidth 1.5 dashtype 4
of(axis, column) = strcol(1) eq axis ? column(column) : NaN
set multiplot layout 2,2 margins 0.075,0.925,0.13,0.91 spacing 0.17,0.15 title "configs/quick/fashion_dyt.json" noenhanced
set title 'batch'
set xlabel 'images'
set xtics (32, 64, 128, 256)
set xrange [27.2:302.08]
set yrange [0.378516:245.956]
set y2range [0.188922:122.759]
plot 15.6741*(x/32) linestyle 6, \
  'growth.csv' using 2:(of('batch', 3)) axes x1y1 with linespoints linestyle 1, \
  'growth.csv' using 2:(of('batch', 6)) axes x1y1 with linespoints linestyle 2, \
  'growth.csv' using 2:(of('batch', 7)) axes x1y1 with linespoints linestyle 3, \
  'growth.csv' using 2:(of('batch', 8)) axes x1y1 with linespoints linestyle 4, \
  'growth.csv' using 2:(of('batch', 9)) axes x1y2 with linespoints linestyle 5
set title 'depth'
set xlabel 'blocks'
set xtics (1, 2, 4, 8)
set xrange [0.85:9.44]
set yrange [0.0984578:65.2305]
set y2range [0.14803:98.0731]
plot 3.40517*(x/1) linestyle 6, \
  'growth.csv' using 2:(of('depth', 3)) axes x1y1 with linespoints linestyle 1, \
  'growth.csv' using 2:(of('depth', 6)) axes x1y1 with linespoints linestyle 2, \
  'growth.csv' using 2:(of('depth', 7)) axes x1y1 with linespoints linestyle 3, \
  'growth.csv' using 2:(of('depth', 8)) axes x1y1 with linespoints linestyle 4, \
  'growth.csv' using 2:(of('depth', 9)) axes x1y2 with linespoints linestyle 5
set title 'tokens'
set xlabel 'tokens'
set xtics (50, 101, 197, 401)
set xrange [42.5:473.18]
set yrange [0.372785:512.986]
set y2range [0.509528:701.158]
plot 14.6202*(x/50) linestyle 6, 2.43127*(x/50)**2 linestyle 7, \
  'growth.csv' using 2:(of('tokens', 3)) axes x1y1 with linespoints linestyle 1, \
  'growth.csv' using 2:(of('tokens', 6)) axes x1y1 with linespoints linestyle 2, \
  'growth.csv' using 2:(of('tokens', 7)) axes x1y1 with linespoints linestyle 3, \
  'growth.csv' using 2:(of('tokens', 8)) axes x1y1 with linespoints linestyle 4, \
  'growth.csv' using 2:(of('tokens', 9)) axes x1y2 with linespoints linestyle 5
set title 'width'
set xlabel 'channels'
set xtics (32, 64, 128, 256)
set xrange [27.2:302.08]
set yrange [0.22749:364.976]
set y2range [0.171794:275.62]
plot 7.99534*(x/32) linestyle 6, 4.82414*(x/32)**2 linestyle 7, \
  'growth.csv' using 2:(of('width', 3)) axes x1y1 with linespoints linestyle 1, \
  'growth.csv' using 2:(of('width', 6)) axes x1y1 with linespoints linestyle 2, \
  'growth.csv' using 2:(of('width', 7)) axes x1y1 with linespoints linestyle 3, \
  'growth.csv' using 2:(of('width', 8)) axes x1y1 with linespoints linestyle 4, \
  'growth.csv' using 2:(of('width', 9)) axes x1y2 with linespoints linestyle 5
unset title
unset xlabel
unset ylabel
unset y2label
unset tics
unset y2tics
unset border
unset logscale
set xrange [0:1]
set yrange [0:1]
set lmargin at screen 0.02
set rmargin at screen 0.98
set bmargin at screen 0.005
set tmargin at screen 0.06
set key center center horizontal maxrows 1 samplen 2
plot NaN title 'step' with linespoints linestyle 1, NaN title 'linear' with linespoints linestyle 2, NaN title 'attention' with linespoints linestyle 3, NaN title 'other' with linespoints linestyle 4, NaN title 'activations' with linespoints linestyle 5, NaN title 'slope 1' linestyle 6, NaN title 'slope 2' linestyle 7
unset multiplot
set output
}
