/* The config reader: strict JSON with exact positions, merging, the schema, and what is written back. */
#include "command.h"

#include "dyt/config.h"
#include "dyt/json.h"
#include "dyt/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static st load(const command *c, const char *text, config *out, err *e, int n_sets, const char *const *sets) {
  char *path = support_write(c->folder, "c.json", text);
  st code = config_load(path, sets, n_sets, out, e);
  mem_free(path);
  return code;
}

/* The text is refused with a sentence that holds `part`. */
static void refused(command *c, const char *text, const char *part) {
  config cfg;
  err e = {0};
  assert_int_equal(load(c, text, &cfg, &e, 0, NULL), ST_USER);
  command_assert_contains(e.text, part);
}

static config loaded(command *c, const char *text) {
  config cfg;
  err e = {0};
  if (load(c, text, &cfg, &e, 0, NULL)) fail_msg("%s", e.text);
  return cfg;
}

static void test_positions(void **state) {
  command *c = *state;
  static const char *const cases[][2] = {{"{\n  \"train\": { \"seed\": 1, }\n}", "c.json:2:25: a comma before this"},
                                         {"{ \"train\": { \"seed\": 01 } }", "c.json:1:22: this is no number"},
                                         {"{ \"train\": { \"seed\": NaN } }", "c.json:1:22: "},
                                         {"{ \"train\": { \"seed\": 1e999 } }", "too large"},
                                         {"{ \"a\": \"x\ny\" }", "c.json:1:8: this string does not end on its line"},
                                         {"{ \"a\": \"\\q\" }", "escape"},
                                         {"{ \"a\": \"x", "does not end"},
                                         {"{ \"a\": [1, 2 }", "c.json:1:14: expected ',' or ']', found '}'"},
                                         {"{ \"a\" 1 }", "':'"},
                                         {"{ a: 1 }", "a key in quotes"},
                                         {"{} {}", "c.json:1:4: expected the end of the file"},
                                         {"// only a comment", "empty"},
                                         {"[]", "object"},
                                         {"{\n\n   \"optim\": {\n \"lrr\": 1 } }", "c.json:4:2: optim.lrr: unknown key, did you mean \"optim.lr\"?"},
                                         {"{ \"train\": { \"seed\": 1,\n \"seed\": 1 } }", "c.json:2:2: train.seed: this key stands here twice"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) refused(c, cases[i][0], cases[i][1]);
}

static void test_types_and_ranges(void **state) {
  command *c = *state;
  static const char *const cases[][2] = {
      {"{ \"model\": { \"dim\": \"64\" } }", "model.dim: found \"64\", expected a whole number from 1 to 65536"},
      {"{ \"model\": { \"dim\": 64.5 } }", "model.dim"},
      {"{ \"model\": { \"dropout\": 1 } }", "model.dropout"},
      {"{ \"model\": 3 }", "model: expected an object"},
      {"{ \"model\": { \"norm\": { \"shift\": 1 } } }", "true or false"},
      {"{ \"model\": { \"norm\": { \"kind\": \"layernom\" } } }", "did you mean \"layernorm\"?"},
      {"{ \"model\": { \"norm\": { \"final\": { \"fn\": \"sigmoud\" } } } }", "model.norm.final.fn"},
      {"{ \"data\": { \"std\": [0.5, 0] } }", "data.std"},
      {"{ \"optim\": { \"betas\": [0.9] } }", "list of two"},
      {"{ \"optim\": { \"momentum\": 0.8 } }", "not in this version"},
      {"{ \"data\": { \"augment\": { \"randaugment\": \"m9\" } } }", "not in this version"},
      {"{ \"data\": { \"train_fraction\": 0 } }", "above 0 to 1"},
      {"{ \"data\": { \"class_names\": [1] } }", "list of strings"},
      {"{ \"schedule\": { \"epochs\": 1, \"warmup_epochs\": 2 } }", "schedule.warmup_epochs"},
      {"{ \"model\": { \"dim\": 30 } }", "model.heads"},
      {"{ \"model\": { \"image_size\": 27 } }", "model.patch_size"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) refused(c, cases[i][0], cases[i][1]);
}

static void test_defaults(void **state) {
  config d = loaded(*state, "{}");
  assert_int_equal(d.model.dim, 64);
  assert_int_equal(d.model.image_size, 0);
  assert_true(isnan(d.model.patch_init_std));
  assert_string_equal(d.model.final.kind, "dyt");
  assert_true(d.model.attn.alpha0 == 0.5 && d.model.attn.alpha_learnable && d.model.attn.affine && !d.model.attn.shift);
  assert_true(d.optim.lr == 1e-3 && d.optim.clip_norm == 0 && d.optim.betas[1] == 0.999);
  assert_true(d.data.n_mean == 1 && d.data.mean[0] == 0 && d.data.std[0] == 1 && d.data.augment.hflip == 0);
  assert_int_equal(d.train.shards, 8);
  assert_int_equal(d.train.micro_batch, 0);
  assert_null(d.data.path);
  config_free(&d);
}

static void test_sites_merge(void **state) {
  config d = loaded(*state, "{ \"model\": { \"norm\": { \"fn\": \"erf\", \"shift\": true, \"alpha0\": 2,\n"
                            "  \"final\": { \"fn\": \"sigmoid\" }, \"attn\": { \"kind\": \"layernorm\" } } } }");
  assert_string_equal(d.model.final.fn, "sigmoid");
  assert_true(d.model.final.shift && d.model.final.alpha0 == 2);
  assert_string_equal(d.model.attn.kind, "layernorm");
  assert_string_equal(d.model.ffn.fn, "erf");
  config_free(&d);
}

static void test_bases(void **state) {
  command *c = *state;
  mem_free(support_write(c->folder, "a.json", "{ \"_about\": \"a\", \"optim\": { \"lr\": 1, \"eps\": 0.5 }, \"train\": { \"seed\": 3 },\n"
                                              "  \"model\": { \"norm\": { \"fn\": \"erf\", \"shift\": true } } } // end"));
  mem_free(support_write(c->folder, "b.json", "{ \"optim\": { \"lr\": 2 }, \"data\": { \"path\": \"a//b\" } }"));
  config d = loaded(c, "{ \"_base_\": [\"a.json\", \"b.json\"], \"train\": { \"seed\": null },\n"
                       "  \"model\": { \"norm\": { \"_delete_\": true, \"alpha0\": 3 } } }");
  assert_true(d.optim.lr == 2 && d.optim.eps == 0.5); /* merged left to right */
  assert_int_equal(d.train.seed, 0);                  /* null: the default */
  assert_string_equal(d.model.attn.fn, "tanh");       /* _delete_ dropped what was inherited */
  assert_true(!d.model.attn.shift && d.model.attn.alpha0 == 3);
  assert_string_equal(d.data.path, "a//b"); /* no comment inside a string */
  str s = {0};
  config_show(&d, &s);
  command_assert_contains(s.data, "b.json:1:"); /* the origin of optim.lr */
  command_assert_contains(s.data, "# default");
  str_free(&s);
  config_free(&d);
  mem_free(support_write(c->folder, "x.json", "{ \"_base_\": \"y.json\" }"));
  mem_free(support_write(c->folder, "y.json", "{ \"_base_\": \"./x.json\" }"));
  refused(c, "{ \"_base_\": \"x.json\" }", "circle");
  refused(c, "{ \"_base_\": \"missing.json\" }", "missing.json");
  refused(c, "{ \"_base_\": 3 }", "_base_");
}

static void test_set(void **state) {
  command *c = *state;
  config d;
  err e = {0};
  const char *const good[] = {"optim.lr=0.5", "model.norm.final.kind=layernorm", "optim.lr=null", "train.seed=7",
                              "data.augment={\"hflip\": 0.5}", "data.mean=[0.1,0.2]"};
  assert_int_equal(load(c, "{ \"data\": { \"augment\": { \"crop_padding\": 2 } } }", &d, &e, 6, good), ST_OK);
  assert_true(d.optim.lr == 1e-3);
  assert_int_equal(d.train.seed, 7);
  assert_int_equal(d.data.augment.crop_padding, 2);
  assert_true(d.data.augment.hflip == 0.5 && d.data.n_mean == 2);
  assert_string_equal(d.model.final.kind, "layernorm");
  config_free(&d);
  static const char *const bad[][2] = {{"optim.lr", "key.path=VALUE"}, {"=1", "key.path=VALUE"}, {"train.sed=1", "train.seed"},
                                       {"model.dim=abc", "--set model.dim=abc: model.dim"}};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    err f = {0};
    assert_int_equal(load(c, "{}", &d, &f, 1, &bad[i][0]), ST_USER);
    command_assert_contains(f.text, bad[i][1]);
  }
}

/* What is written reads back to the same; `_about` and the way values came in do not matter. */
static void test_round_trip(void **state) {
  command *c = *state;
  config a = loaded(c, "{ \"_about\": \"x\", \"optim\": { \"lr\": 0.1 }, \"model\": { \"norm\": { \"ffn\": { \"fn\": \"erf\" } } } }");
  str s = {0};
  char h[17], k[17];
  config_write(&a, &s);
  config b = loaded(c, s.data);
  config_hash(&a, h);
  config_hash(&b, k);
  assert_string_equal(h, k);
  config_fill(&b, "model.image_size", 28);
  assert_int_equal(b.model.image_size, 28);
  str d = {0};
  assert_int_equal(config_diff(&a, &b, NULL, &d), 1);
  command_assert_contains(d.data, "model.image_size (null -> 28)");
  const char *const ignore[] = {"model.image_size", NULL};
  assert_int_equal(config_diff(&a, &b, ignore, &d), 0);
  str_free(&s);
  str_free(&d);
  config_free(&a);
  config_free(&b);
}

static void test_schema(void **state) {
  (void)state;
  str s = {0};
  json_doc d;
  err e = {0};
  config_schema(&s);
  if (json_parse("schema", s.data, s.len, &d, &e)) fail_msg("%s", e.text);
  static const char *const keys[] = {"properties.model.properties.norm.properties.final.properties.fn.enum",
                                     "properties.train.properties.batch_size.minimum",
                                     "properties.data.properties.augment.properties.hflip", "properties._base_"};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
    if (!json_at(&d, keys[i])) fail_msg("the schema has no %s", keys[i]);
  json_free(&d);
  str_free(&s);
}

static void test_explain(void **state) {
  (void)state;
  str s = {0};
  err e = {0};
  assert_int_equal(config_explain("model.norm.fn", &s, &e), ST_OK);
  command_assert_contains(s.data, "satursin");
  assert_int_equal(config_explain("train", &s, &e), ST_OK);
  command_assert_contains(s.data, "train.batch_size");
  assert_int_equal(config_explain("", &s, &e), ST_OK);
  assert_int_equal(config_explain("train.seeed", &s, &e), ST_USER);
  command_assert_contains(e.text, "train.seed");
  str_free(&s);
}

/* Every config that is shipped loads, and says what it is. */
static void test_shipped(void **state) {
  (void)state;
  static const char *const files[] = {"configs/quick/fashion_ln.json", "configs/quick/fashion_dyt.json", "configs/synthetic.json",
                                      "configs/base/quick_vit.json"};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    config d;
    err e = {0};
    if (config_load(files[i], NULL, 0, &d, &e)) fail_msg("%s", e.text);
    config_free(&d);
    file_bytes b;
    assert_int_equal(file_read(files[i], 1 << 16, &b, &e), ST_OK);
    command_assert_contains((char *)b.data, "\"_about\"");
    file_bytes_free(&b);
  }
  config ln, dyt;
  str d = {0};
  err e = {0};
  assert_int_equal(config_load(files[0], NULL, 0, &ln, &e) | config_load(files[1], NULL, 0, &dyt, &e), ST_OK);
  const char *const norm[] = {"model.norm.kind", "model.norm.alpha0", NULL};
  assert_int_equal(config_diff(&ln, &dyt, norm, &d), 0); /* one recipe but for the norm */
  str_free(&d);
  config_free(&ln);
  config_free(&dyt);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, command_setup, command_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(test_positions), TEST(test_types_and_ranges), TEST(test_defaults), TEST(test_sites_merge),
                                     TEST(test_bases),     TEST(test_set),              TEST(test_round_trip), TEST(test_schema),
                                     TEST(test_explain),   TEST(test_shipped)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
