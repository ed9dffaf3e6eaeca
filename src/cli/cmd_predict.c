#include "cli.h"

#include "dyt/file.h"
#include "dyt/predict.h"
#include "dyt/text.h"
#include "dyt/view.h"

#include <stdio.h>
#include <string.h>

typedef struct printing {
  const data_set *data;
  bool json;
  int width; /* of the file names */
  bool failed;
} printing;

static bool is_utf8(const char *text) {
  for (int n; *text && (n = text_character(text, NULL)); text += n) {
  }
  return !*text;
}

/* JSON has no way to write a name that is not UTF-8. */
static void add_json(const printing *p, const predict_answer *a, str *out) {
  str file = {0};
  (is_utf8(a->path) ? str_add : text_line)(&file, a->path);
  str_add(out, "{\"file\": ");
  str_add_quoted(out, file.data);
  for (int i = 0; i < a->n; i++) {
    str_add(out, i ? ", {\"class\": " : ", \"top\": [{\"class\": ");
    str_add_quoted(out, p->data->class_names[a->top[i].class]);
    str_add(out, ", \"p\": ");
    str_add_number(out, a->top[i].p, 9);
    str_add(out, "}");
  }
  str_add(out, "]}\n");
  str_free(&file);
}

/* A line a class, the file's name on the first. */
static void add_rows(const printing *p, const predict_answer *a, str *out) {
  for (int i = 0; i < a->n; i++) {
    text_cell(out, i ? "" : a->path, p->width);
    str_addf(out, "  %6.2f%%  ", 100 * a->top[i].p);
    text_line(out, p->data->class_names[a->top[i].class]);
    str_add(out, "\n");
  }
}

static void print(void *context, const predict_answer *a) {
  printing *p = context;
  str out = {0};
  if (a->bad) {
    cli_fail(a->bad);
    p->failed = true;
    return;
  }
  (p->json ? add_json : add_rows)(p, a, &out);
  fputs(out.data, stdout);
  fflush(stdout); /* a file's answer stands before the complaint about the next */
  str_free(&out);
}

/* The files that the arguments stand for. A folder without any is complained of, and the others are answered. */
static bool gather(const char *const *given, int n, view_paths *out) {
  bool failed = false;
  for (int i = 0; i < n; i++) {
    err bad = {0};
    if (file_what(given[i]) != FILE_FOLDER)
      view_add(out, given[i]);
    else if (view_list(given[i], out, &bad))
      cli_fail(&bad), failed = true;
  }
  return failed;
}

/* No name that is much longer than the others pushes all probabilities to the right. */
static int width_of(const view_paths *files) {
  enum { MOST = 48 };
  int width = 0;
  for (int64_t i = 0; i < files->n; i++) {
    int one = text_width(files->path[i]);
    if (one > width) width = one;
  }
  return width < MOST ? width : MOST;
}

static int predict(const trained_options *o, const char *const *given, int n, int top, bool json) {
  err e = {0};
  trained t;
  if (trained_open(&t, o, &e)) return cli_fail(&e);
  view_paths files = {0};
  printing p = {.data = &t.data, .json = json, .failed = gather(given, n, &files)};
  p.width = width_of(&files);
  predict_files(&t, &(predict_question){files.path, files.n, top, print, &p}, &e);
  view_paths_free(&files);
  trained_close(&t);
  return e.code ? cli_fail(&e) : p.failed ? ST_USER : ST_OK;
}

int cli_predict(const cli_command *self, int argc, char **argv) {
  const char *sets[CLI_ARGS_MAX], **given = mem_new((size_t)argc + 1, sizeof *given);
  int n = 0, top = 5, streams = 0;
  bool json = false;
  trained_options o = {.sets = sets};
  const cli_option options[] = {
      CLI_TRAINED_OPTIONS(o, sets),
      {.name = "top", .arg = "K", .help = "how many classes an image (5)", .number = &top},
      CLI_JSON(json, "one JSON object an image, a line each")};
  int code = cli_begin(self, argc, argv, options, sizeof options / sizeof options[0], given, 2, argc, &n);
  err e = {0};
  for (int i = 1; i < n; i++) streams += strcmp(given[i], "-") == 0;
  if (code < 0 && streams > 1) err_add(&e, ST_USER, "dyt predict: - (standard input) can be read only once");
  if (code < 0 && top == 0) err_add(&e, ST_USER, "dyt predict: --top 0: expected a whole number from 1");
  o.source = given[0];
  if (code < 0) code = e.code ? cli_fail(&e) : predict(&o, given + 1, n - 1, top, json);
  mem_free((void *)given);
  return code;
}
