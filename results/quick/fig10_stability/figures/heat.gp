# gnuplot heat.gp draws heat.svg and heat.png from the data beside it.
x_1 = '0.004'
x_2 = '0.016'
x_3 = '0.064'
y_1 = 'LayerNorm'
y_2 = 'DyT 0.5'
y_3 = 'DyT 2'
y_4 = 'DyT 8'
y_name_1 = 'validation accuracy (%)'
axis_1 = 'lr'
axis_2 = 'norm'
panel_1 = 'dim 32'
panel_2 = 'dim 64'
do for [kind in 'svg png'] {
reset
set encoding utf8
if (kind eq 'svg') { set terminal svg noenhanced size 636,330 font 'sans,12' background rgb 'white' } \
else { set terminal pngcairo noenhanced size 1272,660 font 'sans,10' fontscale 2 linewidth 2 pointscale 2 background rgb 'white' }
set output 'heat.'.kind
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
set multiplot layout 1,2 margins 0.1525,0.9733,0.4242,0.9091 spacing 0.1792,0.2667
low = 10.845
high = 76.825
set cbrange [low:high]
set palette defined (0 '#00224e', 0.25 '#3e4a76', 0.5 '#7d7c78', 0.75 '#bcae6c', 1 '#fee838')
unset grid
set style fill solid 1 noborder
set cbtics scale 0.4
of(panel, v) = column(1) == panel ? v : NaN
bright(v) = (v - low) / (high - low) > 0.55
ink(v) = v == v ? (bright(v) ? 0x010101 : 0xfefefe) : 0x010101
set xtics (x_1 0, x_2 1, x_3 2) scale 0
set xrange [-0.5:2.5]
set ytics (y_1 0, y_2 1, y_3 2, y_4 3) scale 0
set yrange [-0.5:3.5]
set xlabel axis_1 noenhanced
set ylabel axis_2 noenhanced
set colorbox horizontal user origin screen 0.1525, 0.1879 size screen 0.8003, 0.0303
set cblabel y_name_1 noenhanced offset 0,0.4
set title panel_1 noenhanced
plot 'heat.csv' skip 1 using (of(1, column(2))):3:($2 - 0.47):($2 + 0.47):($3 - 0.46):($3 + 0.46) with boxxyerror fillcolor rgb '#c8c8c8', \
  '' skip 1 using (of(1, column(2))):3:($2 - 0.47):($2 + 0.47):($3 - 0.46):($3 + 0.46):4 with boxxyerror palette, \
  '' skip 1 using (of(1, column(2))):3:(strcol(8)):(ink(column(4))) with labels font small textcolor rgb variable
unset colorbox
set title panel_2 noenhanced
plot 'heat.csv' skip 1 using (of(2, column(2))):3:($2 - 0.47):($2 + 0.47):($3 - 0.46):($3 + 0.46) with boxxyerror fillcolor rgb '#c8c8c8', \
  '' skip 1 using (of(2, column(2))):3:($2 - 0.47):($2 + 0.47):($3 - 0.46):($3 + 0.46):4 with boxxyerror palette, \
  '' skip 1 using (of(2, column(2))):3:(strcol(8)):(ink(column(4))) with labels font small textcolor rgb variable
unset multiplot
set output
}
