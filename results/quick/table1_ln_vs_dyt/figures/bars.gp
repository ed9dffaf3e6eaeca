# gnuplot bars.gp draws bars.svg and bars.png from the data beside it.
group_1 = 'LayerNorm, lr tuned'
group_2 = 'DyT 0.5, lr of LayerNorm'
group_3 = 'DyT 0.5, lr tuned'
group_4 = 'DyT, alpha0 and lr tuned'
group_5 = 'no norm, lr of LayerNorm'
y_name_1 = 'test accuracy (%)'
do for [kind in 'svg png'] {
reset
set encoding utf8
if (kind eq 'svg') { set terminal svg noenhanced size 429,241 font 'sans,12' background rgb 'white' } \
else { set terminal pngcairo noenhanced size 858,482 font 'sans,10' fontscale 2 linewidth 2 pointscale 2 background rgb 'white' }
set output 'bars.'.kind
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
set multiplot layout 1,1 margins 0.4242,0.9604,0.3651,0.9585 spacing 0.4639,0.2822
of(color) = column(2) == color ? column(1) : NaN
set xrange [76.672:91.7194]
set yrange [143:0]
set xlabel y_name_1 noenhanced
unset ylabel
set grid noytics xtics
set xtics 78,2,86.78
set ytics scale 0 (group_1 19.5, group_2 45.5, group_3 71.5, group_4 97.5, group_5 123.5)
plot 'bars.csv' skip 1 index 0 using (76.672):(of(1)):(76.672):3:(column(1) - 8):(column(1) + 8) with boxxyerror linestyle 1 fillstyle transparent solid 0.35 noborder, \
  '' skip 1 index 1 using 3:(of(1)) with points linestyle 1 pointtype 6 pointsize 0.5 linewidth 0.8, \
  '' skip 1 index 0 using 3:(of(1)):4 with xerrorbars linestyle 1 pointtype 7 pointsize 0.7 linewidth 1.6, \
  '' skip 1 index 0 using (91.7194):1:(strcol(8)) with labels right font small textcolor rgb '#202020', \
  '' skip 1 index 0 using 7:1 with points pointtype 2 pointsize 0.9 linewidth 1.6 linecolor rgb '#808080'
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
set bmargin at screen 0.0166
set tmargin at screen 0.1245
set key center center horizontal Left reverse samplen 2 maxrows 1 noenhanced
plot NaN with points pointtype 2 linecolor rgb '#808080' linewidth 2 title "the paper's number"
unset multiplot
set output
}
