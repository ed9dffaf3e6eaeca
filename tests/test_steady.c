/* A warm step of training takes no memory: no allocation and no page fault, whatever feeds it. */
#define _GNU_SOURCE
#include "imagefolder_support.h"
#include "support.h"

#include "dyt/engine.h"
#include "dyt/feed.h"
#include "dyt/optim.h"
#include "dyt/workers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* --- counting allocations: this program's malloc --- */

static _Atomic long allocations;
static _Atomic int counting;

/* The sanitizers take memory of their own whenever they like. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CAN_COUNT = 0 };
#else
enum { CAN_COUNT = 1 };
#endif

/* In double OpenBLAS 0.3.21 allocates in its AVX-512 kernels for small matrices; the product is the float build. */
#if !REAL_IS_F64 && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
static void count(void) { allocations += counting; }
void *malloc(size_t size) {
  count();
  return __libc_malloc(size);
}
void *calloc(size_t n, size_t size) {
  count();
  return __libc_calloc(n, size);
}
void *realloc(void *p, size_t size) {
  count();
  return __libc_realloc(p, size);
}
void *aligned_alloc(size_t align, size_t size) {
  count();
  return __libc_memalign(align, size);
}
#endif

/* --- counting page faults --- */

static long faults(void) {
  struct rusage r;
  assert_int_equal(getrusage(RUSAGE_SELF, &r), 0);
  return r.ru_minflt + r.ru_majflt;
}

/* --- training --- */

enum { IMAGES = 400, BATCH = 32, SHARDS = 4, STEPS = 20, ROUNDS = 5 };

typedef struct training {
  config cfg;
  data_set data;
  model model;
  engine engine;
  optim optim;
  feed feed;
  work_pool *pool;
  int32_t order[IMAGES];
  uint64_t step;
} training;

static void open_training(training *t, const char *text) {
  err e = {0};
  put("c.json", text, strlen(text));
  assert_int_equal(config_load(in_folder("c.json"), NULL, 0, &t->cfg, &e), ST_OK);
  t->data = open_ok(&t->cfg);
  t->pool = workers_new(2, 2);
  assert_int_equal(model_build(&t->model, &t->cfg.model, &e), ST_OK);
  params_draw(&t->model.params, 1, t->pool);
  engine_use use = {.shards = SHARDS, .train = {BATCH, IMAGES % BATCH}};
  assert_int_equal(engine_open(&t->engine, &t->model, &task_classify, &use, t->pool, &e), ST_OK);
  assert_int_equal(optim_open(&t->optim, &t->model.params, &t->cfg.optim, &e), ST_OK);
  feed_open(&t->feed, &t->data, work_threads(t->pool));
  assert_int_equal(feed_open_mix(&t->feed, BATCH, BATCH, &e), ST_OK);
}

static void close_training(training *t) {
  feed_close(&t->feed);
  optim_close(&t->optim);
  engine_close(&t->engine);
  work_free(t->pool);
  model_free(&t->model);
  data_close(&t->data);
  config_free(&t->cfg);
}

/* As the trainer does it, the partial batch at an epoch's end included. */
static void one_step(training *t) {
  enum { AN_EPOCH = (IMAGES + BATCH - 1) / BATCH };
  engine_result r;
  uint64_t epoch = t->step / AN_EPOCH, first = t->step % AN_EPOCH * BATCH;
  if (first == 0) data_order(1, epoch, IMAGES, t->order);
  int64_t batch = first + BATCH <= IMAGES ? BATCH : IMAGES - (int64_t)first;
  feed_split(&t->feed, &t->data.train, t->order + first, &(data_draw){1, epoch});
  feed_prepare(&t->feed, t->pool, (int64_t)first / BATCH, batch);
  engine_step(&t->engine, batch, t->step, &t->feed.engine, &r);
  double norm = optim_reduce(&t->optim, t->pool, t->engine.grads, t->engine.shards);
  optim_update(&t->optim, t->pool, t->engine.grads[0], 1e-3, norm);
  assert_true(r.finite);
  t->step++;
}

/* The system itself may take a page away and give it back (huge pages are made, memory is moved to another node):
 * one round without a fault shows that the step makes none. */
static void check_steady(const char *text) {
  training t = {0};
  long fewest = 1000000;
  open_training(&t, text);
  for (int i = 0; i < STEPS; i++) one_step(&t); /* to be warm: more than an epoch */
  for (int round = 0; round < ROUNDS && fewest > 0; round++) {
    allocations = 0;
    counting = 1;
    long before = faults();
    for (int i = 0; i < STEPS; i++) one_step(&t);
    long made = faults() - before;
    counting = 0;
    assert_int_equal(allocations, 0);
    fewest = made < fewest ? made : fewest;
  }
  assert_int_equal(fewest, 0);
  close_training(&t);
}

#define MODEL    "\"model\": { \"dim\": 32, \"depth\": 2, \"heads\": 2, \"dropout\": 0.1, \"drop_path\": 0.1 }"
#define MODEL_28 "\"model\": { \"image_size\": 28, \"dim\": 32, \"depth\": 1, \"heads\": 2 }"
#define CROP     "\"augment\": { \"resized_crop\": [0.08, 1], \"hflip\": 0.5 }"
#define AUGMENT  "\"augment\": { \"crop_padding\": 2, \"hflip\": 0.5 }"

#define ALL                                                                                                            \
  "\"augment\": { \"crop_padding\": 2, \"hflip\": 0.5, \"randaugment\": \"rand-m9-n3-mstd0.5-inc1\", \"erase\": 0.5, " \
  "\"mixup\": 0.8, \"cutmix\": 1, \"mixup_prob\": 0.9 }"

static void test_synthetic(void **state) {
  (void)state;
  if (!CAN_COUNT) skip();
  check_steady("{ " MODEL ", \"data\": { \"format\": \"synthetic\", \"train_size\": 400, " AUGMENT " } }");
  check_steady("{ " MODEL ", \"data\": { \"format\": \"synthetic\", \"train_size\": 400, " ALL " } }");
}

static void test_idx(void **state) {
  (void)state;
  if (!CAN_COUNT) skip();
  unsigned char label[IMAGES];
  for (int i = 0; i < IMAGES; i++) label[i] = (unsigned char)(i % 10);
  put_images(put, "train-images-idx3-ubyte", IMAGES, 28, 28);
  put_labels(put, "train-labels-idx1-ubyte", IMAGES, label);
  put_images(put_gz, "t10k-images-idx3-ubyte", 20, 28, 28);
  put_labels(put_gz, "t10k-labels-idx1-ubyte", 20, label);
  char *plain = mem_printf("{ " MODEL ", \"data\": { \"path\": \"%s\" } }", folder);
  char *augmented = mem_printf("{ " MODEL ", \"data\": { \"path\": \"%s\", " AUGMENT " } }", folder);
  check_steady(plain);
  check_steady(augmented);
  put_images(put_gz, "train-images-idx3-ubyte", IMAGES, 28, 28);
  check_steady(augmented);
  mem_free(plain);
  mem_free(augmented);
}

/* Pictures kept as they are in the files, from which each step takes crops; and crops of stored pictures. */
static void test_resized_crop(void **state) {
  (void)state;
  if (!CAN_COUNT) skip();
  for (int i = 0; i < IMAGES + 20; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s/%d/%03d.bmp", i < IMAGES ? "train" : "test", i % 2, i);
    put_bmp(name, 20 + i % 30, 60 - i % 40, i % 200);
  }
  char *text = mem_printf(
      "{ " MODEL_28 ", \"data\": { \"format\": \"imagefolder\", \"path\": \"%s\", " CROP " } }", folder);
  check_steady(text);
  check_steady("{ " MODEL ", \"data\": { \"format\": \"synthetic\", \"train_size\": 400, " CROP " } }");
  mem_free(text);
}

/* One allocation is counted, and one page that is touched. */
static void test_counters(void **state) {
  (void)state;
  if (!CAN_COUNT) skip();
  arena a;
  allocations = 0;
  counting = 1;
  void *volatile block = malloc(8);
  counting = 0;
  free(block);
  assert_int_equal(allocations, !REAL_IS_F64);
  assert_int_equal(mem_map(&a, 1 << 16, "a test", NULL), ST_OK);
  long before = faults();
  *(volatile unsigned char *)a.base = 1;
  assert_true(faults() - before >= 1);
  mem_unmap(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST_IN_FOLDER(test_counters),
      TEST_IN_FOLDER(test_synthetic),
      TEST_IN_FOLDER(test_idx),
      TEST_IN_FOLDER(test_resized_crop),
  };
  if (k_init(NULL, NULL)) return 1;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
