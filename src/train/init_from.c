#include "dyt/init_from.h"

#include "dyt/checkpoint.h"
#include "dyt/file.h"
#include "dyt/weights.h"
#include "misfit.h"
#include "pos_embed.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- which weights --- */

/* The file that a user's WEIGHTS or RUN_DIR stands for, of the caller's own. */
static st find(const char *source, char **weights, err *e) {
  *weights = NULL;
  file_kind kind = file_what(source);
  if (kind == FILE_NONE) return err_add(e, ST_USER, "%s: there is no such run or file", source);
  if (kind == FILE_FOLDER) return checkpoint_find(source, "last", false, weights, e);
  *weights = mem_strdup(source);
  return ST_OK;
}

/* KEY="TEXT" as --set takes it, of the caller's own. */
static char *setting(const char *key, const char *text) {
  str s = {0};
  str_addf(&s, "%s=", key);
  str_add_quoted(&s, text);
  return s.data;
}

/* Loads the config again with both keys set, as if the user had written them. */
static st load_pinned(const char *path, const char *const *sets, int n_sets, const config_init_from *from,
                      config *out, err *e) {
  const char **all = mem_new((size_t)n_sets + 2, sizeof *all);
  char *path_set = setting("train.init_from.path", from->path),
       *hash_set = setting("train.init_from.xxh64", from->xxh64);
  for (int i = 0; i < n_sets; i++) all[i] = sets[i];
  all[n_sets] = path_set, all[n_sets + 1] = hash_set;
  config_free(out);
  st code = config_load(path, all, n_sets + 2, out, e);
  mem_free(path_set);
  mem_free(hash_set);
  mem_free(all);
  return code;
}

st init_from_config(const char *path, const char *const *sets, int n_sets, const char *source, config *out,
                    err *e) {
  if (config_load(path, sets, n_sets, out, e)) return e->code;
  const config_init_from *own = &out->train.init_from;
  if (!source && (!own->path || own->xxh64)) return ST_OK;
  char *named = mem_strdup(source ? source : own->path), *weights, hash[17];
  st code = find(named, &weights, e);
  if (!code) code = file_hash_of(weights, hash, e);
  if (code)
    config_free(out);
  else
    code = load_pinned(path, sets, n_sets, &(config_init_from){named, hash}, out, e);
  mem_free(weights);
  mem_free(named);
  return code;
}

st init_from_resumed(const char *path, const char *const *sets, int n_sets, const config_init_from *began,
                     config *out, err *e) {
  if (config_load(path, sets, n_sets, out, e)) return e->code;
  const config_init_from *own = &out->train.init_from;
  bool open = !own->xxh64 && (!own->path || (began->path && strcmp(own->path, began->path) == 0));
  return began->path && open ? load_pinned(path, sets, n_sets, began, out, e) : ST_OK;
}

/* --- what fits --- */

typedef enum fate { CARRIED, RESAMPLED, NEW, DROPPED, FATES } fate;

typedef struct transfer {
  const safetensors *f;
  model *m;
  bool *used;      /* [f->count] */
  bool *of_a_norm; /* [params.count] */
  bool patch_fits;
  int count[FATES];
  str names[FATES]; /* ", a, b,": patterns of the names, each once; not of those CARRIED */
  misfit misfit;
} transfer;

static bool begins(const char *name, const char *with) { return strncmp(name, with, strlen(with)) == 0; }

/* The name with "*" for the number of a block: what is said of one is said of all. */
static str pattern_of(const char *name) {
  str s = {0};
  str_add(&s, ""); /* a name may be empty */
  for (size_t n; *name; name += n + (name[n] == '.')) {
    n = strcspn(name, ".");
    if (n && strspn(name, "0123456789") == n)
      str_add(&s, "*");
    else
      str_add_bytes(&s, name, n);
    if (name[n]) str_add(&s, ".");
  }
  return s;
}

static void note(transfer *t, fate what, const char *name) {
  str pattern = pattern_of(name), *list = &t->names[what];
  char *item = mem_printf(", %s,", pattern.data);
  if (!list->len) str_add(list, ",");
  if (!strstr(list->data, item)) str_add(list, item + 1);
  t->count[what]++;
  mem_free(item);
  str_free(&pattern);
}

/* The tensor of that name; the final norm is called by where it stands, and is the same norm. */
static const safetensors_entry *counterpart(const safetensors *f, const char *name) {
  const safetensors_entry *s = safetensors_find(f, name);
  if (s || (!begins(name, "norm.") && !begins(name, "fc_norm."))) return s;
  char *other = mem_printf("%s%s", begins(name, "norm.") ? "fc_norm" : "norm", strchr(name, '.'));
  s = safetensors_find(f, other);
  mem_free(other);
  return s;
}

/* The side of the square that n tokens after the class token are; 0: none. */
static int64_t side_of(int64_t tokens) {
  int64_t side = tokens > 1 ? (int64_t)lround(sqrt((double)(tokens - 1))) : 0;
  return side * side + 1 == tokens ? side : 0;
}

static bool is_another_grid(const safetensors_entry *s, const param *p) {
  return strcmp(p->name, "pos_embed") == 0 && s->rank == 3 && s->shape[0] == 1 &&
         s->shape[2] == p->s.dim[2] && side_of(s->shape[1]) && side_of(p->s.dim[1]);
}

static st resample(transfer *t, const safetensors_entry *s, int i, err *e) {
  const param *p = &t->m->params.p[i];
  int64_t channels = p->s.dim[2], from = side_of(s->shape[1]), to = side_of(p->s.dim[1]);
  real *in = mem_new((size_t)safetensors_numel(s), sizeof *in), *out = params_value(&t->m->params, i);
  st code = safetensors_to_real(t->f, s, in, e);
  memcpy(out, in, (size_t)channels * sizeof *out); /* the class token's */
  pos_embed_resample(channels, from, in + channels, to, out + channels);
  mem_free(in);
  char *grids = mem_printf("pos_embed (%lldx%lld to %lldx%lld)", (long long)from, (long long)from,
                           (long long)to, (long long)to);
  note(t, RESAMPLED, grids);
  mem_free(grids);
  return code;
}

/* What may differ between two models of which one begins with the other's weights. */
static bool may_be_new(const transfer *t, int i) {
  const char *name = t->m->params.p[i].name;
  return t->of_a_norm[i] || begins(name, "head.") || begins(name, "patch_embed.");
}

static st take(transfer *t, int i, err *e) {
  const param *p = &t->m->params.p[i];
  const safetensors_entry *s = counterpart(t->f, p->name);
  bool same = s && weights_same_shape(s, p->s) && (t->patch_fits || !begins(p->name, "patch_embed."));
  st code = ST_OK;
  if (same && p->flags & PARAM_TRAIN) {
    t->used[s - t->f->entry] = true;
    t->count[CARRIED]++;
    code = safetensors_to_real(t->f, s, params_value(&t->m->params, i), e);
  } else if (s && is_another_grid(s, p)) {
    t->used[s - t->f->entry] = true;
    code = resample(t, s, i, e);
  } else if (may_be_new(t, i)) {
    note(t, NEW, p->name);
  } else if (s) {
    misfit_shape(&t->misfit, s, p);
  } else {
    misfit_missing(&t->misfit, p->name);
  }
  return code;
}

/* Whether the tensor lies at a norm site of the model. */
static bool at_a_norm(const model *m, const char *name) {
  for (int k = 0; k < m->norms; k++)
    if (begins(name, m->norm[k]->path) && name[strlen(m->norm[k]->path)] == '.') return true;
  return false;
}

static void drop(transfer *t, const char *name) {
  if (begins(name, "blocks.") && !at_a_norm(t->m, name) && params_find(&t->m->params, name) < 0)
    misfit_other(&t->misfit, name); /* a block that computes something else */
  else
    note(t, DROPPED, name);
}

static void mark_norms(transfer *t) {
  for (int k = 0; k < t->m->norms; k++) {
    const nn_norm *n = t->m->norm[k];
    const int index[] = {n->alpha, n->shift, n->weight, n->bias};
    for (int i = 0; i < 4; i++)
      if (index[i] >= 0) t->of_a_norm[index[i]] = true;
  }
}

static st transfer_all(transfer *t, err *e) {
  const params *p = &t->m->params;
  int patch = params_find(p, "patch_embed.proj.weight");
  const safetensors_entry *s = safetensors_find(t->f, "patch_embed.proj.weight");
  t->patch_fits = patch >= 0 && s && weights_same_shape(s, p->p[patch].s);
  mark_norms(t);
  st code = ST_OK;
  for (int i = 0; i < p->count && !code; i++) code = take(t, i, e);
  for (int i = 0; i < t->f->count && !code; i++)
    if (!t->used[i]) drop(t, t->f->entry[i].name);
  st fits = misfit_end(&t->misfit, t->f->path, e);
  return code ? code : fits;
}

/* "w.safetensors: 61 carried over, 5 new (blocks.*.norm1.alpha, ...)" */
static void say(const transfer *t, str *said) {
  static const char *const word[FATES] = {"carried over", "resampled", "new", "dropped"};
  str_addf(said, "%s: %d %s", t->f->path, t->count[CARRIED], word[CARRIED]);
  for (int k = CARRIED + 1; k < FATES; k++)
    if (t->count[k])
      str_addf(said, ", %d %s (%.*s)", t->count[k], word[k], (int)t->names[k].len - 3, t->names[k].data + 2);
}

static st transfer_file(const char *weights, model *m, str *said, err *e) {
  safetensors f;
  if (safetensors_read(weights, &f, e)) return e->code;
  transfer t = {.f = &f,
                .m = m,
                .used = mem_new((size_t)f.count + 1, sizeof *t.used),
                .of_a_norm = mem_new((size_t)m->params.count + 1, sizeof *t.of_a_norm)};
  st code = transfer_all(&t, e);
  if (!code) say(&t, said);
  for (int k = 0; k < FATES; k++) str_free(&t.names[k]);
  mem_free(t.used);
  mem_free(t.of_a_norm);
  safetensors_free(&f);
  return code;
}

st init_from_weights(const config *c, model *m, str *said, err *e) {
  const config_init_from *from = &c->train.init_from;
  char *weights, hash[17];
  if (find(from->path, &weights, e)) return e->code;
  st code = file_hash_of(weights, hash, e);
  if (!code && from->xxh64 && strcmp(hash, from->xxh64))
    code =
        err_add(e, ST_USER, "%s: its checksum is %s, train.init_from.xxh64 says %s: these are other weights",
                weights, hash, from->xxh64);
  if (!code) code = transfer_file(weights, m, said, e);
  mem_free(weights);
  return code;
}
