/* Bad input: one clear sentence, exit 2, nothing lost, no run directory left behind. */
#include "command.h"

#include "dyt/mem.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Expects exit 2, the part in what was printed, and no folder "run". */
static void refuse(command *c, const char *arguments, const char *part) {
  int code = command_run(c, "%s", arguments);
  if (code != 2) fail_msg("dyt %s: exit %d, expected 2; it printed: %s", arguments, code, c->err);
  command_assert_contains(c->err, part);
  command_assert_contains(c->err, "error: ");
  if (command_exists(c, "run")) fail_msg("dyt %s: left a run directory", arguments);
  DIR *d = opendir(c->folder);
  for (struct dirent *f; d && (f = readdir(d));)
    if (strstr(f->d_name, ".tmp-")) fail_msg("dyt %s: left %s", arguments, f->d_name);
  closedir(d);
}

static void refuse_config(command *c, const char *text, const char *part) {
  mem_free(support_write(c->folder, "bad.json", text));
  refuse(c, "train @/bad.json --run-dir @/run", part);
}

static void test_config_files(void **state) {
  command *c = *state;
  refuse_config(c, "{ \"model\": { \"norm\": { \"alpa0\": 1 } } }", "alpha0");
  refuse_config(c, "{\n \"optim\": { \"lr\": \"fast\" } }", "bad.json:2");
  refuse_config(c, "{ \"train\": { \"batch_size\": 0 } }", "train.batch_size");
  refuse_config(c, "{ \"train\": { \"batch_size\": 2.5 } }", "train.batch_size");
  refuse_config(c, "{ \"train\": { \"seed\": 1, \"seed\": 2 } }", "seed");
  refuse_config(c, "{ \"train\": { \"seed\": 1, } }", "bad.json:1");
  refuse_config(c, "{ } trailing", "bad.json:1");
  refuse_config(c, "{ \"_base_\": \"bad.json\" }", "bad.json");
  refuse_config(c, "", "bad.json");
  refuse_config(c,
                "\x7f"
                "ELF\x02\x01",
                "bad.json");
  refuse_config(c, "{ \"model\": { \"dim\": 30, \"heads\": 4 } }", "heads");
  refuse_config(c, "{ \"model\": { \"image_size\": 30, \"patch_size\": 4 } }", "patch_size");
  refuse_config(c, "{ \"model\": { \"norm\": { \"fn\": \"tan\" } } }", "tanh");
  refuse_config(c, "{ \"data\": { \"augment\": { \"mixup\": -0.8 } } }", "mixup");
  refuse_config(c, "{ \"data\": { \"augment\": { \"randaugment\": \"rand-m9-mmax3\" } } }", "randaugment");
  refuse_config(c,
                "{\n \"data\": { \"augment\": { \"randaugment\": \"rand-m9\",\n \"color_jitter\": 0.4 } } }",
                "bad.json:3");
  refuse(c, "train @/tiny.json --run-dir @/run --set model.image_size=null --set model.patch_size=5",
         "patch_size");
  refuse(c, "train @ --run-dir @/run", "folder");
  refuse(c, "train @/none.json --run-dir @/run", "none.json");
  refuse(c, "train @/tiny.json --run-dir @/run --set optim.lrr=1", "optim.lr");
  refuse(c, "train @/tiny.json --run-dir @/run --set optim.lr", "--set");
}

static void test_deep_nesting(void **state) {
  command *c = *state;
  enum { DEEP = 100000 };
  char *text = mem_new(DEEP + 1, 1);
  memset(text, '[', DEEP);
  refuse_config(c, text, "bad.json");
  mem_free(text);
}

static void test_several_errors_are_all_listed(void **state) {
  command *c = *state;
  refuse_config(
      c, "{ \"model\": { \"dimm\": 1 }, \"optim\": { \"lr\": -1 }, \"train\": { \"seed\": \"x\" } }", "dimm");
  command_assert_contains(c->err, "optim.lr");
  command_assert_contains(c->err, "train.seed");
}

static void test_arguments(void **state) {
  command *c = *state;
  refuse(c, "trian @/tiny.json", "train");
  refuse(c, "train", "config");
  refuse(c, "train @/tiny.json --run-dir ''", "--run-dir");
  refuse(c,
         "train @/tiny.json --run-dir @/run --set model.dim=8192 --set model.depth=24 --set train.shards=64",
         "memory");
  refuse(c, "train @/tiny.json --run-dirr @/run", "run-dir");
  refuse(c, "train @/tiny.json --threads many", "threads");
  refuse(c, "train @/tiny.json extra", "extra");
  refuse(c, "eval", "argument");
  refuse(c, "eval @/nothing", "nothing");
  refuse(c, "replay --weights w", "--config");
  refuse(c, "config explain model.norm.alpa0", "alpha0");
  refuse(c, "info @/none.json", "none.json");
  assert_int_equal(command_run(c, "--help"), 0);
  assert_int_equal(command_run(c, "train --help"), 0);
  command_assert_contains(c->out, "--resume");
}

static void test_run_directory_that_exists(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/kept --set train.max_steps=2"), 0);
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/kept"), 2);
  command_assert_contains(c->err, "--resume");
  assert_true(command_exists(c, "kept/checkpoints/last/model.safetensors"));
  refuse(c, "train --resume @/nowhere", "nowhere");
}

/* --- data --- */

static void write_bytes(command *c, const char *name, const unsigned char *data, size_t n) {
  char *path = command_path(c, name);
  assert_int_equal(file_write(path, data, n, NULL), ST_OK);
  mem_free(path);
}

/* Images [n, 8, 8] and labels [n] with the header fields given. */
static void write_idx(command *c, const char *part, int n, int said, int top_label, int cut) {
  unsigned char images[16 + 64 * 64] = {0, 0, 8, 3, 0, 0, 0, (unsigned char)said, 0, 0, 0, 8, 0, 0, 0, 8};
  unsigned char labels[8 + 64] = {0, 0, 8, 1, 0, 0, 0, (unsigned char)n};
  char name[64];
  for (int i = 0; i < n; i++) labels[8 + i] = (unsigned char)(i % (top_label + 1));
  snprintf(name, sizeof name, "idx/%s-images-idx3-ubyte", part);
  write_bytes(c, name, images, 16 + (size_t)n * 64 - (size_t)cut);
  snprintf(name, sizeof name, "idx/%s-labels-idx1-ubyte", part);
  write_bytes(c, name, labels, 8 + (size_t)n);
}

#define IDX "train @/tiny.json --run-dir @/run --set data.format=idx --set data.path=@/idx "

static void test_data(void **state) {
  command *c = *state;
  refuse(c, IDX, "idx");
  char *folder = command_path(c, "idx");
  assert_int_equal(file_make_folder(folder, NULL), ST_OK);
  mem_free(folder);
  refuse(c, IDX, "fetch_data.sh");
  write_idx(c, "t10k", 20, 20, 9, 0);
  write_idx(c, "train", 40, 40, 9, 7);
  refuse(c, IDX, "train-images-idx3-ubyte");
  write_idx(c, "train", 40, 39, 9, 64);
  refuse(c, IDX, "40");
  write_idx(c, "train", 40, 40, 9, 0);
  refuse(c, IDX "--set model.classes=5", "classes");
  refuse(c, IDX "--set model.image_size=12", "image_size");
  refuse(c, IDX "--set model.channels=3", "channels");
  refuse(c, IDX "--set data.val_size=40", "val_size");
  write_bytes(c, "idx/train-images-idx3-ubyte.gz", (const unsigned char *)"\x1f\x8b\x08garbage", 10);
  char *plain = command_path(c, "idx/train-images-idx3-ubyte");
  unlink(plain);
  mem_free(plain);
  refuse(c, IDX, "train-images-idx3-ubyte.gz");
  refuse(c, "train @/tiny.json --run-dir @/run --set data.format=idx", "data.path");
}

/* Another program empties the file that training reads. */
static void test_data_cut_short(void **state) {
  command *c = *state;
  char *folder = command_path(c, "idx"), *images = command_path(c, "idx/train-images-idx3-ubyte");
  assert_int_equal(file_make_folder(folder, NULL), ST_OK);
  write_idx(c, "t10k", 20, 20, 9, 0);
  write_idx(c, "train", 64, 64, 9, 0);
  pid_t pid = command_start(c, IDX "--set schedule.epochs=1000000");
  command_wait_for(c, "stderr", "first step: ");
  assert_int_equal(truncate(images, 0), 0);
  assert_int_equal(command_wait(pid), 2);
  file_bytes text = command_read(c, "stderr");
  command_assert_contains((char *)text.data, "error: a data file was cut short");
  file_bytes_free(&text);
  mem_free(folder);
  mem_free(images);
}

/* --- weights --- */

static void test_weights(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/kept --set train.max_steps=2"), 0);
  refuse(c, "eval @/kept/checkpoints/last/model.safetensors --config @/tiny.json --set model.dim=32", "[16]");
  command_assert_contains(c->err, "[32]");
  refuse(
      c,
      "eval @/kept/checkpoints/last/model.safetensors --config @/tiny.json --set model.norm.kind=layernorm",
      "blocks.0.norm1.alpha");
  file_bytes b = command_read(c, "kept/checkpoints/last/model.safetensors");
  write_bytes(c, "cut.safetensors", b.data, b.size - 5);
  refuse(c, "eval @/cut.safetensors --config @/tiny.json", "cut.safetensors");
  char *dtype = strstr((char *)b.data + 8, "\"F32\"");
  memcpy(dtype, "\"X32\"", 5);
  write_bytes(c, "odd.safetensors", b.data, b.size);
  refuse(c, "eval @/odd.safetensors --config @/tiny.json", "X32");
  memcpy(dtype, "\"F32\"", 5);
  char *offsets = strstr((char *)b.data + 8, "\"data_offsets\":[0,");
  assert_non_null(offsets);
  offsets = strstr(offsets + 5, "\"data_offsets\":["); /* the second tensor's: make it begin at 0 too */
  for (char *p = offsets + 16; *p != ','; p++) *p = p[1] == ',' ? '0' : ' ';
  write_bytes(c, "overlap.safetensors", b.data, b.size);
  refuse(c, "eval @/overlap.safetensors --config @/tiny.json", "overlap.safetensors");
  refuse(c, "info @/overlap.safetensors", "overlap.safetensors");
  refuse(c, "eval @/tiny.json --config @/tiny.json", "tiny.json");
  file_bytes_free(&b);
}

/* --- a full disk --- */

/* A file-size limit stops writes as a full disk does. */
static void test_no_room(void **state) {
  command *c = *state;
  assert_int_equal(command_run(c, "train @/tiny.json --run-dir @/kept --set train.max_steps=30"), 0);
  file_bytes before = command_read(c, "kept/checkpoints/last/model.safetensors");
  const char *dyt = getenv("DYT") ? getenv("DYT") : "build/dyt";
  char *line =
      mem_printf("ulimit -f 24; trap '' XFSZ; %s train %s/tiny.json --run-dir %s/full --set model.dim=64 "
                 ">%s/stdout 2>%s/stderr",
                 dyt, c->folder, c->folder, c->folder, c->folder);
  int status = system(line);
  mem_free(line);
  assert_int_equal(WEXITSTATUS(status), 2);
  file_bytes text = command_read(c, "stderr");
  command_assert_contains((char *)text.data, "cannot be written");
  file_bytes after = command_read(c, "kept/checkpoints/last/model.safetensors");
  assert_memory_equal(before.data, after.data, before.size);
  file_bytes_free(&text);
  file_bytes_free(&before);
  file_bytes_free(&after);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_config_files), TEST(test_deep_nesting), TEST(test_several_errors_are_all_listed),
      TEST(test_arguments),    TEST(test_data),         TEST(test_run_directory_that_exists),
      TEST(test_weights),      TEST(test_no_room),      TEST(test_data_cut_short),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
