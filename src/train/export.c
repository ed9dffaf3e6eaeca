#include "dyt/export.h"

#include "dyt/checkpoint.h"
#include "dyt/file.h"
#include "dyt/safetensors.h"

/* The writer's bytes follow from the contents, so that this is the checkpoint's own file. */
static st copy(const char *weights, const char *to, str *said, err *e) {
  safetensors f;
  if (safetensors_read(weights, &f, e)) return e->code;
  st code = safetensors_write(to, f.entry, f.count, f.metadata, f.metadata_count, e);
  int64_t numbers = 0;
  for (int i = 0; i < f.count; i++) numbers += safetensors_numel(&f.entry[i]);
  if (!code)
    str_addf(said, "%s: %d tensors, %lld numbers, from %s\n", to, f.count, (long long)numbers, weights);
  safetensors_free(&f);
  return code;
}

st export_weights(const export_options *o, str *said, err *e) {
  char *weights;
  file_kind there = file_what(o->out);
  if (there == FILE_FOLDER) return err_add(e, ST_USER, "%s: expected a file's name, found a folder", o->out);
  if (there != FILE_NONE && !o->force)
    return err_add(e, ST_USER, "%s: exists already: choose another --out, or replace it with --force",
                   o->out);
  if (checkpoint_find(o->run, o->checkpoint ? o->checkpoint : "last", o->raw, &weights, e)) return e->code;
  st code = copy(weights, o->out, said, e);
  mem_free(weights);
  return code;
}
