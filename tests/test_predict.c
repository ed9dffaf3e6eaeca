/* dyt predict: picture files get the answers of the evaluation, without the data set; bad ones are named, the others
 * answered. What a run knows of its data: class names, mean and std. */
#include "command.h"
#include "data_support.h"

#include "dyt/dyt.h"
#include "dyt/mem.h"

#include <cJSON.h>
#include <math.h>
#include <unistd.h>

#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>

enum { SIDE = 8, TRAIN = 120, TEST = 30, CLASSES = 4 };

static const char *const names[CLASSES] = {"T-shirt/top", "gr\xc3\xbcner \"Frosch\"", "a bag", "coat"};

static void use_folder(const command *c) { snprintf(folder, sizeof folder, "%s", c->folder); }

/* IDX files in @/data: what put_images draws. */
static void put_idx(void) {
  unsigned char label[TRAIN];
  for (int i = 0; i < TRAIN; i++) label[i] = (unsigned char)(i % CLASSES);
  assert_int_equal(file_make_folder(in_folder("data"), NULL), ST_OK);
  put_images(put, "data/train-images-idx3-ubyte", TRAIN, SIDE, SIDE);
  put_labels(put, "data/train-labels-idx1-ubyte", TRAIN, label);
  put_images(put, "data/t10k-images-idx3-ubyte", TEST, SIDE, SIDE);
  put_labels(put, "data/t10k-labels-idx1-ubyte", TEST, label);
}

static void put_config(const command *c, const char *name, const char *data) {
  char *text = mem_printf(
      "{\"model\": {\"patch_size\": 4, \"dim\": 16, \"depth\": 1, \"heads\": 2},\n"
      " \"data\": {\"path\": \"%s/data\", \"mean\": \"auto\", \"std\": \"auto\", %s},\n"
      " \"schedule\": {\"epochs\": 3, \"warmup_epochs\": 0}, \"train\": {\"batch_size\": 20}, \"optim\": {\"lr\": 0.01}}",
      c->folder, data);
  mem_free(support_write(c->folder, name, text));
  mem_free(text);
}

/* A run on IDX files with names from the config; then its test images as PNG files, and the data set gone. */
static void train_on_idx(command *c) {
  use_folder(c);
  put_idx();
  put_config(
      c, "idx.json",
      "\"format\": \"idx\", \"class_names\": [\"T-shirt/top\", \"gr\xc3\xbcner \\\"Frosch\\\"\", \"a bag\", "
      "\"coat\"]");
  assert_int_equal(command_run(c, "train @/idx.json --run-dir @/run"), 0);
  assert_int_equal(file_make_folder(in_folder("png/deep"), NULL), ST_OK);
  for (int i = 0; i < TEST; i++) {
    char name[32];
    unsigned char pixels[SIDE * SIDE];
    snprintf(name, sizeof name, i < 20 ? "png/%02d.png" : "png/deep/%02d.png", i);
    for (int j = 0; j < SIDE * SIDE; j++) pixels[j] = byte_of(i, j);
    assert_true(stbi_write_png(in_folder(name), SIDE, SIDE, 1, pixels, SIDE));
  }
  assert_int_equal(file_remove(in_folder("data"), NULL), ST_OK);
}

static const char *text_at(const cJSON *object, const char *key) {
  return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* The lines of what was printed are the rows of predictions.csv: the class's name, its probability. */
static void assert_predictions(command *c, const char *const *name, int lines) {
  file_bytes b = command_read(c, "run/predictions.csv");
  const char *row = strchr((char *)b.data, '\n') + 1, *line = c->out;
  int n = 0, index, label, pred, seen[CLASSES] = {0};
  double p;
  for (; sscanf(row, "%d,%d,%d,%lf", &index, &label, &pred, &p) == 4; n++, row = strchr(row, '\n') + 1) {
    cJSON *answer = cJSON_Parse(line), *first;
    assert_non_null(answer);
    first = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(answer, "top"), 0);
    assert_string_equal(text_at(first, "class"), name[pred]);
    double mine = cJSON_GetObjectItemCaseSensitive(first, "p")->valuedouble;
    if (fabs(mine - p) > 1e-8) fail_msg("row %d: %.9g, evaluated to %.9g", n, mine, p);
    seen[pred] = 1;
    cJSON_Delete(answer);
    line = strchr(line, '\n') + 1;
  }
  assert_int_equal(n, lines);
  assert_int_equal(*line, 0);
  assert_true(seen[0] + seen[1] + seen[2] + seen[3] > 1);
  file_bytes_free(&b);
}

static void test_like_the_evaluation(void **state) {
  command *c = *state;
  train_on_idx(c);
  assert_int_equal(command_run(c, "predict @/run @/png --json --threads 1"), 0);
  assert_predictions(c, names, TEST);
  char *alone = mem_strdup(c->out);
  assert_int_equal(command_run(c, "predict --threads 3 @/run @/png --json"), 0);
  assert_string_equal(c->out, alone);
  assert_int_equal(
      command_run(c,
                  "predict @/run/checkpoints/last/model.safetensors --config @/run/config.json @/png --json"),
      0);
  assert_string_equal(c->out, alone);
  assert_int_equal(command_run(c, "predict @/run - --json <@/png/00.png"), 0);
  command_assert_contains(c->out, "{\"file\": \"-\", \"top\": [{\"class\": ");
  assert_memory_equal(strstr(c->out, "top"), strstr(alone, "top"), strcspn(strstr(alone, "top"), "\n"));
  mem_free(alone);
}

/* The public interface needs no data set either. */
static void test_library(void **state) {
  command *c = *state;
  train_on_idx(c);
  dyt_error e;
  dyt_run *run = dyt_open(in_folder("run"), 1, &e);
  if (!run) fail_msg("%s", e.text);
  assert_true(dyt_image_size(run) == SIDE && dyt_channels(run) == 1 && dyt_classes(run) == CLASSES);
  float image[SIDE * SIDE], p[CLASSES];
  for (int j = 0; j < SIDE * SIDE; j++) image[j] = (float)byte_of(7, j) / 255;
  assert_int_equal(dyt_predict(run, image, 1, p, &e), DYT_OK);
  assert_int_equal(command_run(c, "predict @/run @/png/07.png --json --top 1"), 0);
  int best = 0;
  for (int k = 1; k < CLASSES; k++)
    if (p[k] > p[best]) best = k;
  cJSON *answer = cJSON_Parse(c->out);
  const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(answer, "top"), 0);
  assert_string_equal(text_at(first, "class"), dyt_class_name(run, best));
  assert_true(fabs(cJSON_GetObjectItemCaseSensitive(first, "p")->valuedouble - (double)p[best]) < 1e-5);
  cJSON_Delete(answer);
  dyt_close(run);
}

/* Colour pictures of other sizes: resized and cropped as for the evaluation; names are the folders'. */
static void test_pictures(void **state) {
  command *c = *state;
  static const char *const folders[2] = {"a b", "\xc3\xa4"};
  use_folder(c);
  for (int i = 0; i < 40; i++) {
    enum { HEIGHT = 19, WIDTH = 13 };
    unsigned char pixels[HEIGHT * WIDTH * 3];
    char *name =
        mem_printf("data/%s/%s/%02d.%s", i < 28 ? "train" : "test", folders[i % 2], i, i % 3 ? "png" : "bmp");
    char *path = mem_strdup(in_folder(name));
    *strrchr(path, '/') = 0;
    assert_int_equal(file_make_folder(path, NULL), ST_OK);
    for (int j = 0; j < HEIGHT * WIDTH * 3; j++) pixels[j] = (unsigned char)(byte_of(i, j) / (1 + i % 2));
    assert_true(i % 3 ? stbi_write_png(in_folder(name), WIDTH, HEIGHT, 3, pixels, 3 * WIDTH)
                      : stbi_write_bmp(in_folder(name), WIDTH, HEIGHT, 3, pixels));
    mem_free(path);
    mem_free(name);
  }
  put_config(c, "folder.json",
             "\"format\": \"imagefolder\", \"crop_pct\": 0.9, \"interpolation\": \"bilinear\"");
  assert_int_equal(command_run(c, "train @/folder.json --run-dir @/run --set model.image_size=8"), 0);
  assert_int_equal(command_run(c, "predict @/run @/data/test --json"), 0);
  assert_predictions(c, folders, 12);
}

static int lines_of(const char *text) {
  int n = 0;
  for (; *text; text++) n += *text == '\n';
  return n;
}

static void test_table(void **state) {
  command *c = *state;
  train_on_idx(c);
  assert_int_equal(command_run(c, "predict @/run @/png/00.png @/png/deep/20.png --top 2"), 0);
  assert_int_equal(lines_of(c->out), 4);
  char *first = mem_printf("%s/png/00.png       ", c->folder),
       *third = mem_printf("\n%s/png/deep/20.png  ", c->folder);
  assert_memory_equal(c->out, first, strlen(first)); /* as wide as the longest */
  command_assert_contains(c->out, third);
  assert_int_equal(command_run(c, "predict @/run @/png/00.png --top 99"), 0);
  assert_int_equal(lines_of(c->out), CLASSES);
  double before = 100, sum = 0, p;
  for (const char *line = c->out; *line; line = strchr(line, '\n') + 1, before = p, sum += p) {
    assert_int_equal(sscanf(strchr(line, '%') - 6, "%lf", &p), 1);
    assert_true(p <= before);
  }
  assert_true(fabs(sum - 100) < 0.03);
  mem_free(first);
  mem_free(third);
}

/* More files than a batch or a list of arguments elsewhere holds; one of them bad. */
static void test_many_files(void **state) {
  command *c = *state;
  enum { MANY = 1030 };
  train_on_idx(c);
  put("bad.png", "GIF89a", 6);
  assert_int_equal(
      command_run(c, "predict @/run $(yes @/png/03.png | head -%d) @/bad.png @/png/04.png --json --top 1",
                  MANY),
      2);
  assert_int_equal(lines_of(c->out), MANY + 1);
  assert_int_equal(lines_of(c->err), 1);
  const char *last = c->out + strlen(c->out) - 1;
  while (last > c->out && last[-1] != '\n') last--;
  command_assert_contains(last, "04.png");
  for (const char *p = c->out; p < last; p = strchr(p, '\n') + 1)
    assert_memory_equal(p, c->out, strcspn(c->out, "\n") + 1);
}

static void test_some_cannot_be_read(void **state) {
  command *c = *state;
  train_on_idx(c);
  put("text.png", "no picture", 10);
  assert_int_equal(file_make_folder(in_folder("empty"), NULL), ST_OK);
  assert_int_equal(
      command_run(c, "predict @/run @/png/00.png @/none.png @/empty @/text.png @/png/01.png --json"), 2);
  assert_int_equal(lines_of(c->out), 2);
  assert_int_equal(lines_of(c->err), 3);
  command_assert_contains(c->out, "00.png");
  command_assert_contains(c->out, "01.png");
  command_assert_contains(c->err, "none.png: cannot be read");
  command_assert_contains(c->err, "text.png: not a PNG, JPEG or BMP");
  command_assert_contains(c->err, "empty: no picture files");
  char *beside = mem_strdup(strchr(c->out, '\n') + 1); /* the answer beside files that have none */
  assert_int_equal(command_run(c, "predict @/run @/png/01.png --json"), 0);
  assert_string_equal(c->out, beside);
  mem_free(beside);
  assert_int_equal(command_run(c, "predict @/run - </dev/null"), 2);
  command_assert_contains(c->err, "standard input: not a PNG");
}

static void refuse(command *c, const char *arguments, const char *part) {
  assert_int_equal(command_run(c, "predict %s", arguments), 2);
  assert_int_equal(lines_of(c->err), 1);
  command_assert_contains(c->err, part);
  assert_string_equal(c->out, "");
}

static void test_refused(void **state) {
  command *c = *state;
  train_on_idx(c);
  refuse(c, "@/run", "argument");
  refuse(c, "@/run @/png --top 0", "--top 0");
  refuse(c, "@/run - - <@/png/00.png", "only once");
  refuse(c, "@/none @/png", "no such run");
  refuse(c, "@/run @/png --set model.classes=3 --set data.class_names=null",
         "head.weight (file [4, 16], model [3, 16])");
  refuse(c, "@/run @/png --set model.classes=3", "data.class_names: 4 names, but there are 3 classes");
  refuse(c, "@/run/checkpoints/last/model.safetensors @/png", "--config");
  refuse(c, "@/run/checkpoints/last/model.safetensors --config @/idx.json @/png",
         "model.image_size, model.channels, model.classes, data.mean, data.std: left to the data");
  assert_int_equal(
      command_run(c, "train @/tiny.json --run-dir @/two --set model.channels=2 --set train.max_steps=1"), 0);
  refuse(c, "@/two @/png", "model.channels: 2, but pictures have 1 or 3");
}

/* Runs of before: no names in config.json. */
static void test_numbers_for_names(void **state) {
  command *c = *state;
  static const char *const numbers[CLASSES] = {"0", "1", "2", "3"};
  train_on_idx(c);
  file_bytes b = command_read(c, "run/config.json");
  char *at = strstr((char *)b.data, "[\"T-shirt"), *end = strchr(at, ']');
  memset(at, ' ', (size_t)(end - at) + 1);
  memcpy(at, "null", 4);
  put("run/config.json", b.data, b.size);
  file_bytes_free(&b);
  assert_int_equal(command_run(c, "predict @/run @/png --json"), 0);
  assert_predictions(c, numbers, TEST);
}

/* Measured once: another training set later changes nothing, and the config that says "auto" is still the run's. */
static void test_auto_is_kept(void **state) {
  command *c = *state;
  train_on_idx(c);
  put_idx();
  assert_int_equal(command_run(c, "eval @/run --json"), 0);
  char *before = mem_strdup(c->out);
  put_images(put, "data/train-images-idx3-ubyte", TRAIN / 2, SIDE, SIDE);
  put_labels(put, "data/train-labels-idx1-ubyte", TRAIN / 2, (const unsigned char[TRAIN / 2]){3, 2, 1});
  assert_int_equal(command_run(c, "eval @/run --json"), 0);
  assert_string_equal(c->out, before);
  put_idx();
  assert_int_equal(command_run(c, "train --resume @/run @/idx.json"), 0);
  assert_int_equal(command_run(c, "train --resume @/run @/idx.json --set data.mean=0.5"), 2);
  command_assert_contains(c->err, "may not change data.mean ([0.4");
  mem_free(before);
}

int main(void) {
  const char *f64 = getenv("DYT_F64");
  if (REAL_IS_F64) setenv("DYT", f64 ? f64 : "build/f64/dyt", 1);
  const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)
      TEST(test_like_the_evaluation),
      TEST(test_library),
      TEST(test_pictures),
      TEST(test_table),
      TEST(test_many_files),
      TEST(test_some_cannot_be_read),
      TEST(test_refused),
      TEST(test_numbers_for_names),
      TEST(test_auto_is_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
