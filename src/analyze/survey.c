#include "dyt/survey.h"

#include "dyt/mem.h"
#include "dyt/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TRAIN, VAL, TEST };

/* --- counting --- */

static void count(survey *s) {
  for (int p = 0; p < SURVEY_SPLITS; p++)
    for (int64_t i = 0; i < s->split[p]->n; i++) s->count[s->split[p]->label[i] * SURVEY_SPLITS + p]++;
}

/* --- what is odd --- */

static void warn(survey *s, str *text) { s->warning[s->warnings++] = text->data; }

/* Classes without a picture in a split that has pictures. */
static void warn_of_missing(survey *s, int p) {
  enum { NAMED = 5 };
  int missing = 0;
  str text = {0};
  str_addf(&text, "no picture in the %s split of: ", s->split[p]->name);
  for (int k = 0; k < s->data->classes; k++) {
    if (s->count[k * SURVEY_SPLITS + p] || missing++ >= NAMED) continue;
    str_add(&text, missing > 1 ? ", " : "");
    text_fit(&text, s->data->class_names[k], 40);
  }
  if (missing > NAMED) str_addf(&text, " and %d more", missing - NAMED);
  if (missing && s->split[p]->n)
    warn(s, &text);
  else
    str_free(&text);
}

static void warn_of_imbalance(survey *s) {
  enum { STRONG = 10 };
  int low = -1, high = -1;
  for (int k = 0; k < s->data->classes; k++) {
    int64_t n = s->count[k * SURVEY_SPLITS + TRAIN];
    if (n && (low < 0 || n < s->count[low * SURVEY_SPLITS + TRAIN])) low = k;
    if (n && (high < 0 || n > s->count[high * SURVEY_SPLITS + TRAIN])) high = k;
  }
  int64_t few = s->count[low * SURVEY_SPLITS + TRAIN], many = s->count[high * SURVEY_SPLITS + TRAIN];
  if (many < STRONG * few) return;
  str text = {0};
  str_addf(&text, "training pictures a class: from %lld (", (long long)few);
  text_fit(&text, s->data->class_names[low], 40);
  str_addf(&text, ") to %lld (", (long long)many);
  text_fit(&text, s->data->class_names[high], 40);
  str_add(&text, "): a model may learn little of the rare ones, and accuracy hides it");
  warn(s, &text);
}

static void add_numbers(const double *v, int n, const char *between, str *out) {
  for (int k = 0; k < n; k++) str_addf(out, "%s%.4f", k ? between : "", v[k]);
}

/* Networks start from inputs of mean 0 and standard deviation 1. */
static void warn_of_normalization(survey *s) {
  const data_set *d = s->data;
  bool off = false;
  for (int k = 0; k < d->channels; k++) {
    double mean = (s->mean[k] - (double)d->mean[k]) * (double)d->inv_std[k],
           std = s->std[k] * (double)d->inv_std[k];
    off |= fabs(mean) > 0.5 || std < 0.5 || std > 2;
  }
  if (!off) return;
  str text = {0};
  str_add(&text, "data.mean and data.std are far from the training pictures': measured are [");
  add_numbers(s->mean, d->channels, ", ", &text);
  str_add(&text, "] and [");
  add_numbers(s->std, d->channels, ", ", &text);
  str_add(&text, "]");
  warn(s, &text);
}

void survey_take(survey *s, const config *c, const data_set *d, work_pool *pool) {
  *s = (survey){.cfg = c,
                .data = d,
                .split = {&d->train, &d->val, &d->test},
                .count = mem_new((size_t)d->classes * SURVEY_SPLITS, sizeof *s->count)};
  count(s);
  data_measure(d, pool, s->mean, s->std);
  for (int p = 0; p < SURVEY_SPLITS; p++) warn_of_missing(s, p);
  warn_of_imbalance(s);
  warn_of_normalization(s);
}

void survey_free(survey *s) {
  mem_free(s->count);
  for (int i = 0; i < s->warnings; i++) mem_free(s->warning[i]);
  *s = (survey){0};
}

/* --- telling --- */

enum { NAME_COLUMNS = 32 };

static void add_row(const char *name, int width, const int64_t *n, str *out) {
  str cell = {0};
  text_fit(&cell, name, width);
  text_cell(out, cell.len ? cell.data : "", width);
  for (int p = 0; p < SURVEY_SPLITS; p++) str_addf(out, " %9lld", (long long)n[p]);
  str_add(out, "\n");
  str_free(&cell);
}

/* What the pictures are normalized by. */
static void normalization(const data_set *d, double *mean, double *std) {
  for (int k = 0; k < d->channels; k++) {
    mean[k] = (double)d->mean[k];
    std[k] = 1 / (double)d->inv_std[k];
  }
}

static void add_measured(const char *name, const double *measured, const double *used, int n, str *out) {
  str_addf(out, "%-12s ", name);
  add_numbers(measured, n, " ", out);
  str_add(out, "   normalized by ");
  add_numbers(used, n, " ", out);
  str_add(out, "\n");
}

void survey_write_augmentation(const config *c, str *out) {
  str object = {0};
  config_changed(c, "data.augment", &object);
  bool none = strcmp(object.data, "{}") == 0;
  str_add(out, "augmentation ");
  str_add(out, none ? "none" : object.data);
  str_free(&object);
}

void survey_write(const survey *s, str *out) {
  const data_set *d = s->data;
  double mean[CONFIG_CHANNELS_MAX], std[CONFIG_CHANNELS_MAX];
  int width = 5;
  for (int k = 0; k < d->classes; k++) {
    int w = text_width(d->class_names[k]);
    width = w > NAME_COLUMNS ? NAME_COLUMNS : w > width ? w : width;
  }
  str_addf(out, "%-*s %9s %9s %9s\n", width, "class", "train", "val", "test");
  for (int k = 0; k < d->classes; k++) add_row(d->class_names[k], width, s->count + k * SURVEY_SPLITS, out);
  const int64_t all[] = {d->train.n, d->val.n, d->test.n};
  add_row("all", width, all, out);
  normalization(d, mean, std);
  str_addf(out, "\npictures     %d x %d, %d channel%s, %d classes; %lld left out as unreadable\n", d->height,
           d->width, d->channels, d->channels == 1 ? "" : "s", d->classes, (long long)d->left_out);
  add_measured("mean", s->mean, mean, d->channels, out);
  add_measured("std", s->std, std, d->channels, out);
  survey_write_augmentation(s->cfg, out);
  str_add(out, "\n");
}

static void add_list(const char *name, const double *v, int n, str *out) {
  str_addf(out, ", \"%s\": [", name);
  for (int k = 0; k < n; k++) {
    str_add(out, k ? ", " : "");
    str_add_number(out, v[k], 6);
  }
  str_add(out, "]");
}

void survey_write_json(const survey *s, const char *more, str *out) {
  const data_set *d = s->data;
  double mean[CONFIG_CHANNELS_MAX], std[CONFIG_CHANNELS_MAX];
  normalization(d, mean, std);
  str_add(out, "{\"format\": ");
  str_add_quoted(out, s->cfg->data.format);
  str_addf(out, ", \"height\": %d, \"width\": %d, \"channels\": %d", d->height, d->width, d->channels);
  for (int p = 0; p < SURVEY_SPLITS; p++)
    str_addf(out, ", \"%s\": %lld", s->split[p]->name, (long long)s->split[p]->n);
  str_addf(out, ", \"left_out\": %lld, \"classes\": [", (long long)d->left_out);
  for (int k = 0; k < d->classes; k++) {
    str_add(out, k ? ", {\"name\": " : "{\"name\": ");
    str_add_quoted(out, d->class_names[k]);
    for (int p = 0; p < SURVEY_SPLITS; p++)
      str_addf(out, ", \"%s\": %lld", s->split[p]->name, (long long)s->count[k * SURVEY_SPLITS + p]);
    str_add(out, "}");
  }
  str_add(out, "]");
  add_list("mean", s->mean, d->channels, out);
  add_list("std", s->std, d->channels, out);
  add_list("normalized_by_mean", mean, d->channels, out);
  add_list("normalized_by_std", std, d->channels, out);
  str_add(out, ", \"augment\": ");
  config_changed(s->cfg, "data.augment", out);
  str_add(out, ", \"warnings\": [");
  for (int i = 0; i < s->warnings; i++) {
    str_add(out, i ? ", " : "");
    str_add_quoted(out, s->warning[i]);
  }
  str_addf(out, "]%s}\n", more);
}
