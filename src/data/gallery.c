#include "data/gallery.h"

#include "data/folder_each.h"
#include "data/resized_crop.h"
#include "dyt/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* ---- what is kept ---- */

static bool crops(const gallery *g) { return g->area[1] > 0; }
static bool keeps_original(const gallery *g, int64_t i) {
  return crops(g) && g->files->file[i].part == DATA_TRAIN;
}

static size_t bytes_of(const picture *p) {
  return (size_t)p->height * (size_t)p->width * (size_t)p->channels;
}

static size_t sample_bytes(const gallery *g) {
  return (size_t)g->view.side * (size_t)g->view.side * (size_t)g->view.channels;
}

/* Where in the scratch of a sample resizing works: behind the sample, aligned. */
static size_t work_at(const gallery *g) {
  enum { LINE = 64 };
  return (sample_bytes(g) + LINE - 1) / LINE * LINE;
}

static void make_items(gallery *g) {
  if (g->item) return;
  g->item = mem_new((size_t)g->files->n, sizeof *g->item);
  g->hash = mem_new((size_t)g->files->n, sizeof *g->hash);
  g->failed = g->files->n;
  pthread_mutex_init(&g->lock, NULL);
}

static st probe(void *context, int64_t i, err *e) {
  gallery *g = context;
  return picture_probe(g->files->file[i].path, &g->item[i], e);
}

st gallery_probe(gallery *g, work_pool *pool, bool skip, err *e) {
  make_items(g);
  return folder_each(g->files, pool, "headers of pictures", skip, probe, g, e);
}

/* Bytes that each part takes if it is kept. */
static void measure(gallery *g, size_t bytes[DATA_PARTS]) {
  for (int64_t i = 0; i < g->files->n; i++) {
    picture *p = &g->item[i];
    if (!keeps_original(g, i)) p->height = p->width = g->view.side;
    p->channels = g->view.channels;
    if (!g->files->file[i].bad) bytes[g->files->file[i].part] += bytes_of(p);
  }
}

/* What decoded pictures may take: three quarters of what there is, for a model comes too. */
static st find_budget(size_t *bytes, err *e) {
  const char *given = getenv("DYT_CACHE_MIB");
  size_t available = mem_available();
  *bytes = available / 4 * 3;
  if (!given) return ST_OK;
  char *end;
  double mib = strtod(given, &end);
  if (end == given || *end || !(mib >= 0 && mib < 0x1p40))
    return err_add(
        e, ST_USER,
        "DYT_CACHE_MIB in the environment: \"%s\", expected the MiB that decoded pictures may take", given);
  *bytes = (size_t)(mib * (1 << 20));
  return ST_OK;
}

/* The parts that fit, the training part last: it is the one that would take most. */
static st choose_parts(const size_t bytes[DATA_PARTS], bool kept[DATA_PARTS], err *e) {
  static const int order[DATA_PARTS] = {DATA_TEST, DATA_VAL, DATA_TRAIN};
  const double mib = 1 << 20;
  size_t budget, taken = 0, all = 0;
  if (find_budget(&budget, e)) return e->code;
  for (int k = 0; k < DATA_PARTS; k++) {
    int part = order[k];
    all += bytes[part];
    kept[part] = bytes[part] <= budget - taken;
    if (kept[part]) taken += bytes[part];
  }
  if (taken == all) return ST_OK;
  progress p;
  progress_open(&p, false);
  progress_line(
      &p,
      "pictures%s are decoded anew each time they are used, which takes longer: decoded they need %.1f MiB, "
      "and %.1f MiB may be used for that; with %.1f MiB of free memory they would be decoded once",
      kept[DATA_TEST] && kept[DATA_VAL] ? " for training" : "", (double)all / mib, (double)budget / mib,
      ceil((double)all / 0.75 / mib));
  return ST_OK;
}

/* A place for each picture that is kept, one after another. */
static st make_store(gallery *g, err *e) {
  size_t bytes[DATA_PARTS] = {0}, all = 0, at = 0;
  bool kept[DATA_PARTS];
  measure(g, bytes);
  if (choose_parts(bytes, kept, e)) return e->code;
  for (int part = 0; part < DATA_PARTS; part++) all += kept[part] ? bytes[part] : 0;
  if (mem_map(&g->store, all, "the decoded pictures", e)) return e->code;
  for (int64_t i = 0; i < g->files->n; i++) {
    if (g->files->file[i].bad || !kept[g->files->file[i].part]) continue;
    g->item[i].pixels = g->store.base + at;
    at += bytes_of(&g->item[i]);
  }
  return ST_OK;
}

/* ---- decoding ---- */

static uint64_t hash_of(const picture *p) {
  return XXH64(p->pixels, bytes_of(p), (uint64_t)p->height << 32 | (uint64_t)p->width);
}

static void resize(const gallery *g, const picture *p, void *work, unsigned char *out) {
  resize_view whole = resize_whole(p);
  resize_window w = resize_and_crop(p->height, p->width, g->view.shorter, g->view.side);
  resize_into(&whole, &w, g->filter, work, out);
}

static size_t room_for(const gallery *g, const picture *p) {
  return resize_room(p->height, p->width, g->view.channels, g->view.side, g->view.side);
}

/* File i as it is kept, or would be; picture_free. */
static st decode(const gallery *g, int64_t i, picture *out, err *e) {
  if (picture_read(g->files->file[i].path, g->view.channels, out, e)) return e->code;
  if (keeps_original(g, i)) return ST_OK;
  picture small = {g->view.side, g->view.side, g->view.channels, mem_new(sample_bytes(g), 1)};
  void *work = mem_new(room_for(g, out), 1);
  resize(g, out, work, small.pixels);
  mem_free(work);
  picture_free(out);
  *out = small;
  return ST_OK;
}

static st keep(void *context, int64_t i, err *e) {
  gallery *g = context;
  picture p, *item = &g->item[i];
  if (decode(g, i, &p, e)) return e->code;
  st code = ST_OK;
  if (p.height != item->height || p.width != item->width)
    code = err_add(e, ST_USER, "%s: changed while it was read", g->files->file[i].path);
  else if (item->pixels)
    memcpy(item->pixels, p.pixels, bytes_of(&p));
  g->hash[i] = hash_of(&p);
  picture_free(&p);
  return code;
}

st gallery_decode(gallery *g, work_pool *pool, bool skip, err *e) {
  make_items(g);
  if (make_store(g, e)) return e->code;
  return folder_each(g->files, pool, "pictures decoded", skip, keep, g, e);
}

/* ---- samples ---- */

static void note_failure(gallery *g, int64_t i, const char *text) {
  pthread_mutex_lock(&g->lock);
  if (i < g->failed) {
    mem_free(g->failure);
    g->failure = mem_strdup(text);
    g->failed = i;
  }
  pthread_mutex_unlock(&g->lock);
}

/* The same picture as at the start, or black and a failure noted. */
static picture decode_anew(gallery *g, int64_t i) {
  picture p;
  err bad = {0};
  if (!decode(g, i, &p, &bad) && hash_of(&p) == g->hash[i]) return p;
  if (!bad.code) {
    err_add(&bad, ST_USER, "%s: another picture than at the start", g->files->file[i].path);
    picture_free(&p);
  }
  note_failure(g, i, bad.text);
  p = (picture){g->view.side, g->view.side, g->view.channels, mem_new(sample_bytes(g), 1)};
  return p;
}

const unsigned char *gallery_sample(gallery *g, int64_t i, rng *r, unsigned char *scratch) {
  picture p = g->item[i];
  bool anew = !p.pixels, original = keeps_original(g, i);
  if (!anew && !original) return p.pixels;
  if (anew) p = decode_anew(g, i);
  void *room = anew && original ? mem_new(room_for(g, &p), 1) : NULL;
  void *work = room ? room : scratch + work_at(g);
  resize_view whole = resize_whole(&p);
  if (!original)
    memcpy(scratch, p.pixels, sample_bytes(g));
  else if (r)
    resized_crop(&whole, g->area, g->view.side, g->filter, r, work, scratch);
  else
    resize(g, &p, work, scratch);
  mem_free(room);
  if (anew) picture_free(&p);
  return scratch;
}

/* A sample, and what resizing takes of the largest picture that is kept as it is. */
size_t gallery_scratch(const gallery *g) {
  picture most = {g->view.side, g->view.side, g->view.channels, NULL};
  for (int64_t i = 0; i < g->files->n; i++) {
    const picture *p = &g->item[i];
    if (!p->pixels || !keeps_original(g, i)) continue;
    if (p->height > most.height) most.height = p->height;
    if (p->width > most.width) most.width = p->width;
  }
  return work_at(g) + (crops(g) ? room_for(g, &most) : 0);
}

st gallery_check(gallery *g, err *e) {
  pthread_mutex_lock(&g->lock);
  st code = g->failure ? err_add(e, ST_USER, "%s", g->failure) : ST_OK;
  pthread_mutex_unlock(&g->lock);
  return code;
}

void gallery_close(gallery *g) {
  if (g->item) pthread_mutex_destroy(&g->lock);
  mem_free(g->item);
  mem_free(g->hash);
  mem_free(g->failure);
  mem_unmap(&g->store);
  *g = (gallery){0};
}
