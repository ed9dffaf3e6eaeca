# gnuplot norms_2.gp draws norms_2.svg and norms_2.png from the data beside it.
cell_1 = 'tuned at depth 12'
do for [kind in 'svg png'] {
reset
set encoding utf8
if (kind eq 'svg') { set terminal svg noenhanced size 786,360 font 'sans,12' background rgb 'white' } \
else { set terminal pngcairo noenhanced size 1572,720 font 'sans,10' fontscale 2 linewidth 2 pointscale 2 background rgb 'white' }
set output 'norms_2.'.kind
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
set multiplot layout 1,2 margins 0.0967,0.9784,0.3056,0.9167 spacing 0.1183,0.2444
mix(c, place) = int(255 - (255 - c) * (0.35 + 0.65 * place))
rgb(r, g, b, place) = 65536 * mix(r, place) + 256 * mix(g, place) + mix(b, place)
shade(site, place) = site eq 'attn' ? rgb(0, 114, 178, place) : site eq 'ffn' ? rgb(213, 94, 0, place) : site eq 'final' ? rgb(0, 158, 115, place) : rgb(90, 90, 90, place)
mark(site) = site eq 'attn' ? 7 : site eq 'ffn' ? 5 : site eq 'final' ? 13 : 9
set xrange [0:2392.92]
set xtics 500
unset logscale y
set ytics autofreq
set yrange [1.297844:2.222756]
set title cell_1 noenhanced
set xlabel 'step'
set ylabel 'α'
plot for [block=0:24] 'norms_2.csv' skip 1 index block using 2:6:(shade(strcol(5), column(3) / 24.0)) with lines linewidth 1.6 linecolor rgb variable
unset logscale y
set ytics autofreq
set yrange [0.131522222:4.52832]
set logscale y
set ytics (0.2, 0.5, 1, 2)
set title cell_1 noenhanced
set xlabel 'step'
set ylabel '1/std of the input'
plot for [block=0:24] 'norms_2.csv' skip 1 index block using 2:7:(shade(strcol(5), column(3) / 24.0)) with lines linewidth 1.6 linecolor rgb variable
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
set bmargin at screen 0.0111
set tmargin at screen 0.1444
set key center center horizontal Left reverse samplen 2 maxrows 2 noenhanced
plot NaN with lines linewidth 1.8 linecolor rgb shade('attn', 1) title 'attention norm', NaN with lines linewidth 1.8 linecolor rgb shade('ffn', 1) title 'FFN norm', NaN with lines linewidth 1.8 linecolor rgb shade('final', 1) title 'final norm', NaN with lines linecolor rgb 'white' title 'paler: earlier layers'
unset multiplot
set output
}
