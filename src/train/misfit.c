#include "misfit.h"

#include <stdio.h>

enum { LISTED = 12 }; /* names of each kind */

static void list(str *out, int *count, const char *text) {
  if (++*count <= LISTED) str_addf(out, "%s%s", out->len ? ", " : "", text);
  if (*count == LISTED + 1) str_add(out, ", ...");
}

void misfit_missing(misfit *m, const char *name) { list(&m->missing, &m->n_missing, name); }

void misfit_other(misfit *m, const char *name) { list(&m->other, &m->n_other, name); }

void misfit_shape(misfit *m, const safetensors_entry *t, const param *p) {
  char in_model[80], in_file[64], both[400];
  safetensors_shape_text(t, in_file);
  snprintf(both, sizeof both, "%s (file %s, model %s)", p->name, in_file, shape_text(p->s, in_model));
  list(&m->differ, &m->n_differ, both);
}

st misfit_end(misfit *m, const char *path, err *e) {
  str text = {0};
  if (m->n_missing) str_addf(&text, "; %d missing from the file: %s", m->n_missing, m->missing.data);
  if (m->n_other) str_addf(&text, "; %d not of this model: %s", m->n_other, m->other.data);
  if (m->n_differ) str_addf(&text, "; %d of another shape: %s", m->n_differ, m->differ.data);
  st code = text.len ? err_add(e, ST_USER, "%s: the weights do not fit the model%s", path, text.data) : ST_OK;
  str_free(&m->missing);
  str_free(&m->other);
  str_free(&m->differ);
  str_free(&text);
  *m = (misfit){0};
  return code;
}
