/* dyt report: what is on the page, that nothing from outside is markup, what is refused. scripts/check_report.sh opens pages in a browser. */
#include "made_study.h"

#include "dyt/mem.h"

#include <string.h>

static const made_run grid[] = {{"[0]", 0, "done", 0.75, false},
                                {"[0]", 1, "done", 0.5, false},
                                {"[1]", 0, "diverged", 0.25, false},
                                {"[1]", 1, NULL, 0, false}};
enum { RUNS = sizeof grid / sizeof *grid };

static const char hostile[] =
    "\"_about\": \"</p><script>alert(1)</script> & \\\"it's\\\"\", \"seeds\": [0, 1], \"axes\": [{\"name\": \"<b>norm\", \"key\": \"k\","
    " \"values\": [\"<script>LN\", \"\\\"><img src=x>\"]}], \"table\": {\"rows\": \"<b>norm\"},"
    " \"figures\": [{\"kind\": \"bars\", \"title\": \"<i>Bars\", \"caption\": \"<u>all.\"}, {\"kind\": \"curves\"}]";

static char *page_of(command *c, const char *name) {
  file_bytes b = command_read(c, name);
  char *text = mem_strdup((char *)b.data);
  file_bytes_free(&b);
  return text;
}

static void reports(command *c, const char *arguments) {
  int code = command_run(c, "report %s", arguments);
  if (code || *c->err) fail_msg("report %s: exit %d: %s", arguments, code, c->err);
}

static int times(const char *text, const char *part) {
  int n = 0;
  for (; (text = strstr(text, part)); text++) n++;
  return n;
}

static void assert_has(const char *page, const char *const *part, int n) {
  for (int i = 0; i < n; i++) command_assert_contains(page, part[i]);
}
#define HAS(page, ...)                                                                                       \
  assert_has(page, (const char *const[]){__VA_ARGS__},                                                       \
             (int)(sizeof(const char *const[]){__VA_ARGS__} / sizeof(char *)))

static void test_study(void **state) {
  command *c = *state;
  made_study(c, hostile, grid, RUNS, "");
  reports(c, "@/study");
  char *page = page_of(c, "study/report.html");
  HAS(page, "<h1>made (quick)</h1>",
      "&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;it&#39;s&quot;",
      "4 runs: 2 done, 1 diverged, 1 not done yet; 90 seconds of", "dyt study made.json --tier quick",
      "<td class=\"n\">62.50 \xc2\xb1 17.68 (2)</td>", "<strong>&lt;i&gt;Bars.</strong> &lt;u&gt;all. Means",
      "diverged, failed (D)", "not done yet</td>", "Study file", "Resolved config of its first run",
      "&quot;name&quot;: &quot;&lt;script&gt;&quot;",
      "cpu &lt;Zen&gt; \xc2\xb7 simd avx2 \xc2\xb7 threads 1");
  assert_null(strstr(page, "secret"));
  assert_int_equal(times(page, "<svg "), 2);
  assert_int_equal(times(page, "</svg>"), 2);
  static const char *const never[] = {"<script", "<img",         "<b>",     "<i>",
                                      "<u>",     "rgb( 64",      "rgb(230", "fill=\"#ffffff\"",
                                      "<desc>",  "id=\"gnuplot", "id='gpPt"};
  for (size_t i = 0; i < sizeof never / sizeof *never; i++)
    if (strstr(page, never[i])) fail_msg("%s is on the page", never[i]);
  HAS(page, "id='p1-gpPt0'", "id='p2-gpPt0'", "href='#p2-gpPt", "var(--ink)", "var(--paper)", "var(--grid)",
      "var(--axis)");
  command_assert_contains(c->out, "report.html: 2 pictures");
  mem_free(page);
}

/* Studies first, then all runs together. */
static void test_several(void **state) {
  command *c = *state;
  made_study(c, hostile, grid, RUNS, "");
  reports(c, "@/made");
  char *page = page_of(c, "made/report.html");
  HAS(page, "<td>diverged</td>", "Training curves", "Pearson");
  assert_int_equal(times(page, "<svg "), 3);
  mem_free(page);
  reports(c, "@/made @/study @/made --out @/all.html");
  page = page_of(c, "all.html");
  HAS(page, "<h1>Report</h1>", "<li><a href=\"#s1\">made (quick)</a></li>\n<li><a href=\"#s2\">Runs</a></li>",
      "<h2 id=\"s2\">Runs</h2>");
  assert_int_equal(times(page, "<svg "), 5);
  assert_true(command_exists(c, "all_plots/curves.svg"));
  mem_free(page);
}

static void test_refusals(void **state) {
  command *c = *state;
  made_study(c, hostile, grid, RUNS, "");
  command_refuse(c, "report", "argument");
  command_refuse(c, "report @/none",
                 "none: expected a study's folder (runs.json) or a run directory (config.json)");
  command_refuse(c, "report @/study @/made", "--out");
  command_refuse(c, "report @/study --out @/none/page.html", "none/page.html");
  char *folder = command_path(c, "store");
  mem_free(support_write(folder, "0000000000000000.json.gz", "{"));
  command_refuse(c, "report @/study", "0000000000000000.json.gz");
  mem_free(folder);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(test_study), TEST(test_several), TEST(test_refusals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
