# gnuplot pairs.gp draws pairs.svg and pairs.png from the data beside it.
name_1 = 'blocks.0.norm1'
name_2 = 'blocks.2.norm1'
name_3 = 'blocks.4.norm2'
name_4 = 'blocks.7.norm1'
name_5 = 'blocks.9.norm2'
name_6 = 'fc_norm'
do for [kind in 'svg png'] {
reset
set encoding utf8
if (kind eq 'svg') { set terminal svg noenhanced size 786,984 font 'sans,12' background rgb 'white' } \
else { set terminal pngcairo noenhanced size 1572,1968 font 'sans,10' fontscale 2 linewidth 2 pointscale 2 background rgb 'white' }
set output 'pairs.'.kind
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
set multiplot layout 3,2 margins 0.0967,0.9784,0.0589,0.9492 spacing 0.1183,0.1098
set samples 300
set grid xtics
set offsets graph 0.03,0.03,0.06,0.06
set xlabel 'input'
set ylabel 'output'
set title name_1."\nR²: line 0.852, tanh 0.869" noenhanced
plot 'pairs.csv' skip 1 every 8 using (column(2) == 0 ? column(8) : NaN):9 with points pointtype 7 pointsize 0.4 linecolor rgb '#0072b2', \
  2.5973713 * tanh(0.617005457 * x) with lines linewidth 1.2 linecolor rgb '#d55e00'
set title name_2."\nR²: line 0.957, tanh 0.961" noenhanced
plot 'pairs.csv' skip 1 every 8 using (column(2) == 4 ? column(8) : NaN):9 with points pointtype 7 pointsize 0.4 linecolor rgb '#0072b2', \
  4.19080008 * tanh(0.222963245 * x) with lines linewidth 1.2 linecolor rgb '#d55e00'
set title name_3."\nR²: line 0.972, tanh 0.975" noenhanced
plot 'pairs.csv' skip 1 every 8 using (column(2) == 9 ? column(8) : NaN):9 with points pointtype 7 pointsize 0.4 linecolor rgb '#0072b2', \
  4.31439147 * tanh(0.151310841 * x) with lines linewidth 1.2 linecolor rgb '#d55e00'
set title name_4."\nR²: line 0.981, tanh 0.982" noenhanced
plot 'pairs.csv' skip 1 every 8 using (column(2) == 14 ? column(8) : NaN):9 with points pointtype 7 pointsize 0.4 linecolor rgb '#0072b2', \
  4.90549988 * tanh(0.105684381 * x) with lines linewidth 1.2 linecolor rgb '#d55e00'
set title name_5."\nR²: line 0.979, tanh 0.981" noenhanced
plot 'pairs.csv' skip 1 every 8 using (column(2) == 19 ? column(8) : NaN):9 with points pointtype 7 pointsize 0.4 linecolor rgb '#0072b2', \
  4.36705859 * tanh(0.102810904 * x) with lines linewidth 1.2 linecolor rgb '#d55e00'
set title name_6."\nR²: line 0.961, tanh 0.968" noenhanced
plot 'pairs.csv' skip 1 every 8 using (column(2) == 24 ? column(8) : NaN):9 with points pointtype 7 pointsize 0.4 linecolor rgb '#0072b2', \
  2.77014186 * tanh(0.268128609 * x) with lines linewidth 1.2 linecolor rgb '#d55e00'
unset multiplot
set output
}
