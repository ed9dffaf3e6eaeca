/* The curves of `dyt bench growth`: data, a gnuplot script that can be changed and run again, and its drawings. */
#include "bench_growth.h"

#include "gnuplot.h"

#include "dyt/file.h"

#include <math.h>

static void write_csv(const growth_axis *axis, str *out) {
  str_add(out, "axis,x,step_ms,step_ms_min,step_ms_max,linear_ms,attention_ms,other_ms,activations_mib,"
               "parameters_mib,gradients_mib,resident_mib\n");
  for (int a = 0; a < GROWTH_AXES; a++)
    for (int i = 0; i < GROWTH_POINTS; i++) {
      const growth_point *p = &axis[a].point[i];
      const double column[] = {p->ms.median, p->ms.min,      p->ms.max,     p->linear_ms, p->attention_ms,
                               p->other_ms,  p->activations, p->parameters, p->gradients, p->resident};
      str_addf(out, "%s,%.0f", axis[a].name, p->x);
      for (size_t c = 0; c < sizeof column / sizeof *column; c++) {
        str_add(out, ",");
        str_add_number(out, column[c], 6);
      }
      str_add(out, "\n");
    }
}

static const char head[] =
    "set datafile separator ','\n"
    "unset key\n"
    "set logscale xyy2\n"
    "set ytics nomirror\n"
    "set y2tics nomirror textcolor rgb '#cc79a7'\n"
    "set grid xtics ytics linecolor rgb '#e0e0e0'\n"
    "set ylabel 'a step (ms)'\n"
    "set y2label 'activations of a worker (MiB)' textcolor rgb '#cc79a7'\n"
    "set style line 1 linecolor rgb '#000000' linewidth 2 pointtype 7 pointsize 0.7\n"
    "set style line 2 linecolor rgb '#0072b2' linewidth 2 pointtype 5 pointsize 0.7\n"
    "set style line 3 linecolor rgb '#d55e00' linewidth 2 pointtype 9 pointsize 0.9\n"
    "set style line 4 linecolor rgb '#009e73' linewidth 2 pointtype 11 pointsize 0.9\n"
    "set style line 5 linecolor rgb '#cc79a7' linewidth 2 dashtype 2 pointtype 13 pointsize 0.9\n"
    "set style line 6 linecolor rgb '#777777' linewidth 1.5 dashtype 3\n"
    "set style line 7 linecolor rgb '#777777' linewidth 1.5 dashtype 4\n"
    "of(axis, column) = strcol(1) eq axis ? column(column) : NaN\n";

static const struct curve {
  const char *label, *axes;
  int column;
} curves[] = {{"step", "x1y1", 3},
              {"linear", "x1y1", 6},
              {"attention", "x1y1", 7},
              {"other", "x1y1", 8},
              {"activations", "x1y2", 9}};
enum { CURVES = sizeof curves / sizeof *curves, SLOPE_1, SLOPE_2 };

/* Both axes span as many decades, so that a slope looks the same on either. */
static void write_ranges(const growth_axis *a, str *out) {
  const growth_point *first = &a->point[0], *last = &a->point[GROWTH_POINTS - 1];
  double low = first->ms.median, high = first->ms.median;
  for (int i = 0; i < GROWTH_POINTS; i++) {
    const growth_point *p = &a->point[i];
    low = fmin(low, fmin(p->linear_ms, fmin(p->attention_ms, p->other_ms)));
    high = fmax(high, p->ms.max);
  }
  low /= 2, high *= 2;
  double middle = sqrt(first->activations * last->activations), half = sqrt(high / low);
  str_addf(out, "set xrange [%g:%g]\nset yrange [%g:%g]\nset y2range [%g:%g]\n", first->x * 0.85,
           last->x * 1.18, low, high, middle / half, middle * half);
}

/* A guide begins at the first point of what it is for: slope 1 at the step's, slope 2 where something is quadratic. */
static void write_panel(const growth_axis *axis, int index, str *out) {
  const growth_axis *a = &axis[index];
  const growth_point *first = &a->point[0];
  double quadratic = index == GROWTH_TOKENS  ? first->attention_ms
                     : index == GROWTH_WIDTH ? first->linear_ms
                                             : 0;
  str_addf(out, "set title '%s'\nset xlabel '%s'\nset xtics (", a->name, a->unit);
  for (int i = 0; i < GROWTH_POINTS; i++) str_addf(out, "%s%.0f", i ? ", " : "", a->point[i].x);
  str_add(out, ")\n");
  write_ranges(a, out);
  str_addf(out, "plot %g*(x/%g) linestyle %d", first->ms.median, first->x, SLOPE_1);
  if (quadratic > 0) str_addf(out, ", %g*(x/%g)**2 linestyle %d", quadratic, first->x, SLOPE_2);
  for (int i = 0; i < CURVES; i++)
    str_addf(out, ", \\\n  'growth.csv' using 2:(of('%s', %d)) axes %s with linespoints linestyle %d",
             a->name, curves[i].column, curves[i].axes, i + 1);
  str_add(out, "\n");
}

/* One key for all panels: an empty plot below them. */
static void write_key(str *out) {
  str_add(out,
          "unset title\nunset xlabel\nunset ylabel\nunset y2label\nunset tics\nunset y2tics\nunset border\n"
          "unset logscale\nset xrange [0:1]\nset yrange [0:1]\n"
          "set lmargin at screen 0.02\nset rmargin at screen 0.98\nset bmargin at screen 0.005\n"
          "set tmargin at screen 0.06\nset key center center horizontal maxrows 1 samplen 2\nplot ");
  for (int i = 0; i < CURVES; i++)
    str_addf(out, "NaN title '%s' with linespoints linestyle %d, ", curves[i].label, i + 1);
  str_addf(out, "NaN title 'slope 1' linestyle %d, NaN title 'slope 2' linestyle %d\n", SLOPE_1, SLOPE_2);
}

static void write_script(const growth_axis *axis, const char *title, str *out) {
  str heading = {0};
  str_add(&heading, "heading = ");
  gnuplot_quote(&heading, title);
  str_add(&heading, "\n");
  gnuplot_begin("growth", heading.data, 1000, 800, out);
  str_free(&heading);
  str_add(out, head);
  str_add(
      out,
      "set multiplot layout 2,2 margins 0.075,0.925,0.13,0.91 spacing 0.17,0.15 title heading noenhanced\n");
  for (int a = 0; a < GROWTH_AXES; a++) write_panel(axis, a, out);
  write_key(out);
  gnuplot_end(out);
}

st growth_draw(const growth_axis *axis, const char *title, const char *folder, err *e) {
  str csv = {0}, script = {0};
  write_csv(axis, &csv);
  write_script(axis, title, &script);
  st code = file_make_folder(folder, e);
  if (!code) code = gnuplot_write(folder, "growth", ".csv", &csv, e);
  if (!code) code = gnuplot_write(folder, "growth", ".gp", &script, e);
  if (!code) code = gnuplot_run(folder, "growth", e);
  str_free(&csv);
  str_free(&script);
  return code;
}
