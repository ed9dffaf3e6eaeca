#include "made_study.h"

#include "dyt/mem.h"
#include "dyt/norm_stats.h"
#include "dyt/record.h"

void made_file(const command *c, const char *folder, const char *name, const char *text) {
  char *path = command_path(c, folder);
  assert_int_equal(file_make_folder(path, NULL), ST_OK);
  mem_free(support_write(path, name, text));
  mem_free(path);
}

static void put_formatted(const command *c, const char *name, char *text) {
  made_file(c, "made", name, text);
  mem_free(text);
}

static void put_logs(const command *c, const made_run *r) {
  double loss = 2 - r->acc1, acc = r->acc1, alpha = 1 + r->seed;
  made_file(c, "made", "config.json", "{\"model\": {\"classes\": 10}, \"name\": \"<script>\"}\n");
  made_file(c, "made", "env.json",
            "{\"cpu\": \"<Zen>\", \"simd\": \"avx2\", \"threads\": 1, \"host\": \"secret\"}\n");
  put_formatted(c, "status.json", mem_printf("{\"state\": \"%s\", \"seconds\": 30}\n", r->state));
  put_formatted(
      c, "steps.jsonl",
      mem_printf("{\"step\": 50, \"loss\": %.9g}\n{\"step\": 100, \"loss\": %.9g}\n", loss + 0.5, loss));
  put_formatted(
      c, "log.jsonl",
      mem_printf("{\"epoch\": 1, \"step\": 50, \"train_loss\": %.9g, \"val_loss\": 1, \"val_acc1\": %.9g}\n"
                 "{\"epoch\": 2, \"step\": 100, \"train_loss\": %.9g, \"val_loss\": 1, \"val_acc1\": %.9g, "
                 "\"test_loss\": 1, \"test_acc1\": %.9g}\n",
                 loss + 0.5, acc - 0.25, loss, acc, acc));
  put_formatted(
      c, "dyt.csv",
      mem_printf(
          "%s0,0,blocks.0.norm1,0,attn,dyt,tanh,1,4,0,1,1,0,8\n0,0,norm,1,final,dyt,tanh,1,4,0,1,1,0,8\n"
          "100,2,blocks.0.norm1,0,attn,dyt,tanh,%.9g,%.9g,0,1,1,0,8\n"
          "100,2,norm,1,final,dyt,tanh,%.9g,%.9g,0,1,1,0,8\n",
          NORM_STATS_HEADER, alpha, acc, 2 * alpha, 2 * acc));
}

static void put_record(const command *c, int id, const made_run *r) {
  static const probe_shape shapes[2] = {{0.5, 0.75, 1, 1, 1}, {0.75, 1, 1, 1, 1}};
  char *name = mem_printf("store/%016x.json.gz", (unsigned)id), *run = command_path(c, "made"),
       *file = command_path(c, name);
  err e = {0};
  put_logs(c, r);
  if (record_write(run, shapes, 2, file, &e)) fail_msg("%s", e.text);
  mem_free(name);
  mem_free(run);
  mem_free(file);
}

void made_study_of(const command *c, const char *text, const made_run *run, int runs, const char *more,
                   made_put *put) {
  char *study = mem_printf("{\"base\": \"base.json\", %s}\n", text);
  str listed = {0};
  str_add(&listed, "{\"study\": \"made.json\", \"tier\": \"quick\", \"store\": \"../store\", \"runs\": [");
  made_file(c, "store", "about", "");
  for (int i = 0; i < runs; i++) {
    str_addf(&listed, "%s{\"id\": \"%016x\", \"cell\": %s, \"seed\": %d, \"tuning\": %s}", i ? ",\n" : "",
             (unsigned)i, run[i].cell, run[i].seed, run[i].tuning ? "true" : "false");
    if (run[i].state) put(c, i, &run[i]);
  }
  str_addf(&listed, "]%s}\n", more);
  made_file(c, "study", "study.json", study);
  made_file(c, "study", "runs.json", listed.data);
  mem_free(study);
  str_free(&listed);
}

void made_study(const command *c, const char *text, const made_run *run, int runs, const char *more) {
  made_study_of(c, text, run, runs, more, put_record);
}
