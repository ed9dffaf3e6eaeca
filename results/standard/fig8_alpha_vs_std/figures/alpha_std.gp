# gnuplot alpha_std.gp draws alpha_std.svg and alpha_std.png from the data beside it.
cell_1 = 'tuned at depth 4'
cell_2 = 'tuned at depth 12'
do for [kind in 'svg png'] {
reset
set encoding utf8
if (kind eq 'svg') { set terminal svg noenhanced size 786,450 font 'sans,12' background rgb 'white' } \
else { set terminal pngcairo noenhanced size 1572,900 font 'sans,10' fontscale 2 linewidth 2 pointscale 2 background rgb 'white' }
set output 'alpha_std.'.kind
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
set multiplot layout 1,2 margins 0.0967,0.9784,0.2444,0.8889 spacing 0.1183,0.2400
mix(c, place) = int(255 - (255 - c) * (0.35 + 0.65 * place))
rgb(r, g, b, place) = 65536 * mix(r, place) + 256 * mix(g, place) + mix(b, place)
shade(site, place) = site eq 'attn' ? rgb(0, 114, 178, place) : site eq 'ffn' ? rgb(213, 94, 0, place) : site eq 'final' ? rgb(0, 158, 115, place) : rgb(90, 90, 90, place)
mark(site) = site eq 'attn' ? 7 : site eq 'ffn' ? 5 : site eq 'final' ? 13 : 9
set grid xtics
set xlabel '1/std of the input'
set ylabel 'α'
unset logscale x
set xtics autofreq
set xrange [0.0185333333:1.41528]
set logscale x
set xtics (0.02, 0.05, 0.1, 0.2, 0.5, 1)
unset logscale y
set ytics autofreq
set yrange [0.139308333:2.73984]
set logscale y
set ytics (0.2, 0.5, 1, 2)
set title cell_1."\nPearson r = -0.03 (-0.31 to 0.17)" noenhanced
plot 'alpha_std.csv' skip 1 index 0 using 7:6:(column(2) > 0 ? 0.45 : 1.15):(mark(strcol(5))):(shade(strcol(5), column(3) / 24.0)) with points pointsize variable pointtype variable linecolor rgb variable
unset logscale y
set ytics autofreq
set yrange [1.299008:2.311292]
set title cell_2."\nPearson r = 0.41 (0.33 to 0.47)" noenhanced
plot 'alpha_std.csv' skip 1 index 1 using 7:6:(column(2) > 0 ? 0.45 : 1.15):(mark(strcol(5))):(shade(strcol(5), column(3) / 24.0)) with points pointsize variable pointtype variable linecolor rgb variable
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
set bmargin at screen 0.0089
set tmargin at screen 0.1156
set key center center horizontal Left reverse samplen 2 maxrows 2 noenhanced
plot NaN with points pointtype 7 linecolor rgb shade('attn', 1) title 'attention norm', NaN with points pointtype 5 linecolor rgb shade('ffn', 1) title 'FFN norm', NaN with points pointtype 13 linecolor rgb shade('final', 1) title 'final norm', NaN with lines linecolor rgb 'white' title 'paler: earlier layers'
unset multiplot
set output
}
