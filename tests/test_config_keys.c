/* Config keys: what each may be, its default, and what is said about it. */
#define _GNU_SOURCE
#include "config_support.h"
#include "dyt/json.h"

#include <math.h>

/* ---- keys and values ---- */

static void test_unknown_keys(void **state) {
  (void)state;
  refuse("{\n  \"model\": {\"norm\":\n    {\"alpa0\": 1}}}",
         "c.json:3:6: model.norm.alpa0: unknown key, did you mean \"alpha0\"? (known: kind, fn, alpha0, ");
  refuse("{\"model\": {\"lr\": 1}}",
         "c.json:1:12: model.lr: unknown key, did you mean \"optim.lr\"? (known: family");
  refuse("{\"qqqqqqqqqq\": 1}",
         "c.json:1:2: qqqqqqqqqq: unknown key (known: model, data, optim, schedule, train)");
  refuse("{\"model\": {\"norm\": {\"attn\": {\"attn\": {}}}}}",
         "c.json:1:30: model.norm.attn.attn: unknown key");
  refuse("{\"model.dim\": 8}", "c.json:1:2: model.dim: unknown key");
  refuse("{\"Model\": {}}", "c.json:1:2: Model: unknown key, did you mean \"model\"?");
  refuse("{\"a\\nb\": {}}", "c.json:1:2: a\\nb: unknown key");
  refuse("{\"_comment\": 1}", "c.json:1:2: _comment: unknown key");
  refuse("{\"model\": 3}", "c.json:1:2: model: expected an object");
  refuse("{\"optim\": [1, 2]}", "c.json:1:2: optim: expected an object");
  refuse("{\"model\": {\"norm\": {\"ffn\": true}}}", "c.json:1:21: model.norm.ffn: expected an object");
  refuse("{\"model\": {\"$schema\": \"x\"}}", "c.json:1:12: model.$schema: unknown key");
}

typedef struct bad_value {
  const char *key, *value, *sentence;
} bad_value;

static const bad_value bad_values[] = {
    {"model.dim", "\"64\"", "found \"64\", expected a whole number from 1 to 65536"},
    {"model.dim", "0", "found 0, expected"},
    {"model.dim", "65537", "found 65537, expected"},
    {"model.dim", "2.5", "found 2.5, expected a whole number"},
    {"model.depth", "-1", "found -1, expected a whole number from 0"},
    {"model.heads", "[4]", "found [4], expected"},
    {"model.image_size", "1e300", "found 1e+300, expected a whole number from 1 to 4096, or null"},
    {"model.mlp_ratio", "0", "found 0, expected a number above 0 to 64"},
    {"model.act", "\"gleu\"", "found \"gleu\", expected one of \"gelu\""},
    {"model.act", "\"tanh\"", "found \"tanh\", expected one of \"gelu\""},
    {"model.dropout", "1", "found 1, expected a number from 0 to below 1"},
    {"model.norm.fn", "\"tan\"", "found \"tan\", expected one of \"identity\""},
    {"model.norm.fn", "\"gelu\"", "found \"gelu\""},
    {"model.norm.shift", "1", "found 1, expected true or false"},
    {"model.norm.eps", "-1e-9", "found -1e-09, expected a number from 0"},
    {"model.norm.final.kind", "\"batchnorm\"",
     "found \"batchnorm\", expected one of \"layernorm\", \"rmsnorm\", \"dyt\", \"none\""},
    {"data.format", "\"cifar\"",
     "found \"cifar\", expected one of \"idx\", \"cifar10\", \"cifar100\", \"imagefolder\", \"synthetic\""},
    {"data.path", "3", "found 3, expected a string, or null"},
    {"data.std", "0", "found 0, expected \"auto\", a number or a list of numbers above 0"},
    {"data.std", "[1, 0]", "found [1, 0], expected"},
    {"data.mean", "[]", "found [], expected"},
    {"data.mean", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "found [1, 1"},
    {"data.train_fraction", "0", "found 0, expected a number above 0 to 1"},
    {"data.split_seed", "9007199254740992",
     "found 9007199254740992, expected a whole number from 0 to 9007199254740991"},
    {"data.class_names", "[]", "found [], expected a list of strings, or null"},
    {"data.class_names", "[\"a\", 1]", "found [\"a\", 1], expected"},
    {"data.augment.mixup", "-0.1", "found -0.1, expected a number from 0 to 1000"},
    {"data.augment.mixup_prob", "1.1", "found 1.1, expected a number from 0 to 1"},
    {"data.augment.mixup_switch", "2", "found 2, expected a number from 0 to 1"},
    {"data.augment.cutmix", "true", "found true, expected a number"},
    {"data.augment.erase", "1.5", "found 1.5, expected a number from 0 to 1"},
    {"data.augment.color_jitter", "[0.4, 0.4, 0.4]",
     "found [0.4, 0.4, 0.4], expected a number from 0 to 100"},
    {"data.augment.randaugment", "9", "found 9, expected \"rand\" with any of -m0 to -m10, -n1 to -n100"},
    {"data.augment.resized_crop", "0.8", "found 0.8, expected a list of two numbers above 0 to 1, or null"},
    {"train.ema", "1", "found 1, expected a number from 0 to below 1"},
    {"optim.momentum", "1", "found 1, expected a number from 0 to below 1"},
    {"optim.layer_decay", "0", "found 0, expected a number above 0 to 1"},
    {"optim.name", "\"adam\"", "found \"adam\", expected one of \"adamw\", \"sgd\""},
    {"optim.betas", "[0.9]", "found [0.9], expected a list of two numbers from 0 to below 1"},
    {"optim.betas", "[0.9, 1]", "found [0.9, 1], expected"},
    {"optim.lr", "-1", "found -1, expected a number from 0"},
    {"optim.clip_norm", "0", "found 0, expected a number above 0, or null"},
    {"schedule.epochs", "0", "found 0, expected"},
    {"train.batch_size", "1000001", "found 1000001, expected"},
    {"train.accumulate", "0", "found 0, expected a whole number from 1 to 1000000"},
    {"train.shards", "4097", "found 4097, expected"},
    {"train.probe_samples", "0", "found 0, expected"},
    {"train.label_smoothing", "1", "found 1, expected"},
    {"train.on_nonfinite", "\"go\"", "found \"go\", expected one of \"stop\""},
};

static void test_bad_values(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof bad_values / sizeof bad_values[0]; i++) {
    const bad_value *b = &bad_values[i];
    char *set = mem_printf("%s=%s", b->key, b->value),
         *sentence = mem_printf(": %s: %s", b->key, b->sentence);
    config c;
    err e;
    put("c.json", "{}");
    assert_int_equal(load("c.json", SETS(set), &c, &e), ST_USER);
    if (e.count != 1 || strncmp(e.text, "--set 1 (", 9) || !strstr(e.text, sentence))
      fail_msg("expected \"%s\", found %d: %s", sentence, e.count, e.text);
    mem_free(set);
    mem_free(sentence);
  }
}

static void test_nearest_value(void **state) {
  (void)state;
  put("c.json", "{\"model\": {\"norm\": {\"fn\": \"hardtahn\"}}}");
  config c;
  err e;
  assert_int_equal(load("c.json", NULL, &c, &e), ST_USER);
  assert_non_null(strstr(e.text, "did you mean \"hardtanh\"?"));
}

/* The strings of data.augment.randaugment: what each says, and those that say nothing. */
static void test_randaugment_strings(void **state) {
  (void)state;
  static const struct {
    const char *text;
    config_randaugment want;
  } good[] = {{"rand", {2, 10, 0, false}},
              {"rand-m9-mstd0.5-inc1", {2, 9, 0.5, true}},
              {"rand-inc0-n3-m0", {3, 0, 0, false}},
              {"rand-mstd1-n100-m10", {100, 10, 1, false}}};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    char *text = mem_printf("{\"data\": {\"augment\": {\"randaugment\": \"%s\"}}}", good[i].text);
    config c = load_ok(text, NULL);
    const config_randaugment *r = &c.data.augment.randaugment, *w = &good[i].want;
    assert_true(r->layers == w->layers && r->magnitude == w->magnitude && r->std == w->std &&
                r->increasing == w->increasing);
    config_free(&c);
    mem_free(text);
  }
  static const char *const bad[] = {
      "",           "ran",          "rand-",        "rand-m",       "rand-m11",   "rand-m9.5",
      "rand-n0",    "rand-n101",    "rand-inc2",    "rand-m-9",     "rand-m9-m9", "rand-p0.5",
      "rand-mmax3", "rand-w0",      "rand-mstd0x1", "rand-mstd1e1", "rand-m9 ",   "rand m9",
      "randm9",     "rand-mstd101", "rand--m9",     "rand-m9-",     "rand-9",     "rand-mstd.",
      "v0"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char *text = mem_printf("{\"data\": {\"augment\": {\"randaugment\": \"%s\"}}}", bad[i]);
    put("c.json", text);
    config c;
    err e;
    assert_int_equal(load("c.json", NULL, &c, &e), ST_USER);
    if (e.count != 1 || !strstr(e.text, "data.augment.randaugment: found"))
      fail_msg("%s: %s", bad[i], e.text);
    mem_free(text);
  }
}

static void test_edges_are_allowed(void **state) {
  (void)state;
  config c = load_ok(
      "{\"model\": {\"dim\": 8.0, \"heads\": 1e0, \"depth\": 0, \"norm\": {\"alpha0\": -0.5, \"eps\": 0}},"
      " \"data\": {\"train_fraction\": 1, \"split_seed\": 9007199254740991, \"mean\": -0.5, \"skip_bad\": true,"
      " \"interpolation\": \"bilinear\", \"crop_pct\": 0.875, \"augment\": {\"mixup\": 1000, \"randaugment\": \"rand\"}},"
      " \"optim\": {\"lr\": 0, \"betas\": [0, 0.5]}, \"schedule\": {\"epochs\": 0.25, \"warmup_epochs\": 0.25}}",
      NULL);
  assert_true(c.model.dim == 8 && c.model.heads == 1 && c.model.depth == 0);
  assert_true(c.model.attn.alpha0 == -0.5 && c.model.final.eps == 0);
  assert_true(c.data.split_seed == 9007199254740991ull && c.data.mean[0] == -0.5 && c.data.n_mean == 1);
  assert_true(c.optim.lr == 0 && c.optim.betas[0] == 0 && c.optim.betas[1] == 0.5 &&
              c.schedule.epochs == 0.25);
  config_free(&c);
}

static void test_cross_checks(void **state) {
  (void)state;
  refuse("{\"model\": {\"heads\": 4,\n\"dim\": 30}}",
         "c.json:2:1: model.dim: 30 is not divisible by model.heads, which is 4");
  refuse("{\"model\": {\"heads\": 5}}",
         "c.json:1:12: model.dim: 64 is not divisible by model.heads, which is 5");
  refuse("{\"model\": {\"image_size\": 30}}",
         "c.json:1:12: model.image_size: 30 is not divisible by model.patch_size, which is 4");
  refuse("{\"model\": {\"dim\": 4, \"mlp_ratio\": 0.2}}",
         "c.json:1:22: model.mlp_ratio: 0.2 times model.dim, which is 4,");
  refuse("{\"model\": {\"channels\": 2}, \"data\": {\"std\": [1, 1, 1]}}",
         "c.json:1:37: data.std: 3 values, expected 1, or one a channel: model.channels is 2");
  refuse("{\"data\": {\"augment\": {\"resized_crop\": [0.5, 0.2]}}}",
         "c.json:1:23: data.augment.resized_crop: from 0.5 to 0.2, expected the smaller share first");
  refuse("{\"data\": {\"augment\": {\"resized_crop\": [0.1, 1], \"crop_padding\": 4}}}",
         "c.json:1:23: data.augment.resized_crop: not together with data.augment.crop_padding, which is 4");
  config c = load_ok("{\"data\": {\"mean\": [0.1, 0.2, 0.3]}}", NULL);
  err e = {0};
  assert_int_equal(config_check_shapes(&c, &e), ST_OK);
  config_fill(&c, "model.channels", 1);
  config_fill(&c, "model.image_size", 27);
  assert_int_equal(config_check_shapes(&c, &e), ST_USER);
  assert_int_equal(e.count, 2);
  assert_non_null(
      strstr(e.text, "the data: model.image_size: 27 is not divisible by model.patch_size, which is 4"));
  assert_non_null(strstr(e.text, "data.mean: 3 values"));
  config_free(&c);
}

static void test_every_error_is_listed(void **state) {
  (void)state;
  put("c.json",
      "{\"model\": {\"dimm\": 1},\n \"optim\": {\"lr\": -1},\n \"train\": {\"seed\": \"x\", \"shards\": 0}}");
  config c;
  err e;
  assert_int_equal(load("c.json", SETS("optim.lrr=1", "no equals sign", "train.batch_size=many"), &c, &e),
                   ST_USER);
  static const char *const parts[] = {"c.json:1:12: model.dimm",
                                      "c.json:2:12: optim.lr:",
                                      "c.json:3:12: train.seed:",
                                      "c.json:3:25: train.shards:",
                                      "--set 1 (optim.lrr=1): optim.lrr: unknown key, did you mean \"lr\"?",
                                      "--set 2 (no equals sign): expected key.path=VALUE",
                                      "--set 3 (train.batch_size=many): train.batch_size: found \"many\""};
  assert_int_equal(e.count, 7);
  for (int i = 0; i < 7; i++)
    if (!strstr(e.text, parts[i])) fail_msg("expected '%s' in: %s", parts[i], e.text);
}

static void test_more_errors_than_fit_are_counted(void **state) {
  (void)state;
  str s = {0};
  for (int i = 0; i < 1000; i++) str_addf(&s, "%s\"wrong%d\": 1", i ? ", " : "{", i);
  str_add(&s, "}");
  put("c.json", s.data);
  str_free(&s);
  config c;
  err e;
  assert_int_equal(load("c.json", NULL, &c, &e), ST_USER);
  assert_int_equal(e.count, 1000);
  assert_true(strlen(e.text) < sizeof e.text);
}

/* ---- defaults ---- */

static void test_defaults(void **state) {
  (void)state;
  config c = load_ok("{}", NULL);
  const config_norm *n = &c.model.ffn;
  assert_true(c.model.image_size == 0 && c.model.channels == 0 && c.model.classes == 0);
  assert_true(c.model.patch_size == 4 && c.model.dim == 64 && c.model.depth == 6 && c.model.heads == 4 &&
              c.model.mlp_ratio == 2);
  assert_string_equal(c.model.family, "vit");
  assert_string_equal(c.model.act, "gelu");
  assert_string_equal(c.model.pool, "avg");
  assert_true(c.model.dropout == 0 && c.model.drop_path == 0 && isnan(c.model.patch_init_std));
  assert_string_equal(n->kind, "dyt");
  assert_string_equal(n->fn, "tanh");
  assert_string_equal(n->alpha_shape, "scalar");
  assert_true(n->alpha0 == 0.5 && n->alpha_learnable && !n->shift && n->affine && n->eps == 1e-6);
  assert_string_equal(c.data.format, "idx");
  assert_true(!c.data.path && c.data.mean[0] == 0 && c.data.std[0] == 1 && c.data.n_mean == 1 &&
              c.data.n_std == 1);
  assert_true(c.data.train_fraction == 1 && c.data.val_size == 0 && c.data.split_seed == 0 &&
              !c.data.class_names);
  assert_true(c.data.n_class_names == 0 && c.data.train_size == 10000 && c.data.test_size == 2000);
  const config_augment *a = &c.data.augment;
  assert_true(a->crop_padding == 0 && a->hflip == 0 && a->color_jitter == 0 && a->randaugment.layers == 0);
  assert_true(a->erase == 0 && a->mixup == 0 && a->cutmix == 0 && a->mixup_prob == 1 &&
              a->mixup_switch == 0.5);
  assert_string_equal(c.optim.name, "adamw");
  assert_true(c.optim.lr == 1e-3 && c.optim.betas[0] == 0.9 && c.optim.betas[1] == 0.999 &&
              c.optim.eps == 1e-8);
  assert_true(c.optim.momentum == 0.9 && c.optim.weight_decay == 0.05 && c.optim.layer_decay == 1 &&
              c.optim.clip_norm == 0);
  assert_true(c.schedule.epochs == 10 && c.schedule.warmup_epochs == 1 && c.schedule.min_lr == 1e-6);
  assert_true(c.train.batch_size == 128 && c.train.accumulate == 1 && c.train.shards == 8 &&
              c.train.micro_batch == 0 && c.train.seed == 0);
  assert_true(c.train.label_smoothing == 0 && c.train.ema == 0 && c.train.max_steps == 0 &&
              c.train.eval_every == 0 && c.train.probe_every == 0);
  assert_true(c.train.probe_samples == 256 && !c.train.eval_train);
  assert_string_equal(c.train.on_nonfinite, "stop");
  config_free(&c);
}

static void test_null_is_the_default(void **state) {
  (void)state;
  config c = load_ok(
      "{\"optim\": {\"lr\": null, \"clip_norm\": 2}, \"train\": null, \"model\": {\"norm\": {\"attn\": null}}}",
      SETS("optim.clip_norm=null"));
  assert_true(c.optim.lr == 1e-3 && c.optim.clip_norm == 0 && c.train.batch_size == 128);
  config_free(&c);
}

static void test_lists(void **state) {
  (void)state;
  config c =
      load_ok("{\"data\": {\"mean\": [0.1, 0.2, 0.3], \"class_names\": [\"cat\", \"\\u00e4 dog\"]}}", NULL);
  assert_true(c.data.n_mean == 3 && c.data.mean[2] == 0.3 && c.data.n_class_names == 2);
  assert_string_equal(c.data.class_names[0], "cat");
  assert_string_equal(c.data.class_names[1], "\xc3\xa4 dog");
  config_free(&c);
}

static void test_norm_sites(void **state) {
  (void)state;
  config c =
      load_ok("{\"model\": {\"norm\": {\"fn\": \"erf\", \"alpha0\": 2, \"final\": {\"fn\": \"sigmoid\"},"
              " \"attn\": {\"kind\": \"layernorm\", \"eps\": 1e-5}}}}",
              SETS("model.norm.shift=true", "model.norm.ffn.alpha_shape=channel"));
  assert_string_equal(c.model.attn.kind, "layernorm");
  assert_string_equal(c.model.ffn.kind, "dyt");
  assert_string_equal(c.model.attn.fn, "erf");
  assert_string_equal(c.model.final.fn, "sigmoid");
  assert_string_equal(c.model.ffn.alpha_shape, "channel");
  assert_string_equal(c.model.final.alpha_shape, "scalar");
  assert_true(c.model.attn.eps == 1e-5 && c.model.ffn.eps == 1e-6 && c.model.final.alpha0 == 2 &&
              c.model.attn.shift);
  config_free(&c);
}

/* ---- what is said about keys ---- */

static const cJSON *schema_of(const json_doc *schema, const char *path) {
  const cJSON *at = schema->root;
  while (at && *path) {
    char *name = mem_printf("%.*s", (int)strcspn(path, "."), path);
    at = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(at, "properties"), name);
    path += strlen(name) + (path[strlen(name)] == '.');
    mem_free(name);
  }
  return at;
}

/* Every key of a resolved config is in the schema, and the schema's default is its value. Returns how many.
 */
static int check_described(const json_doc *schema, const cJSON *group, const char *above) {
  int n = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, group) {
    char *path = mem_printf("%s%s%s", above, *above ? "." : "", item->string);
    const cJSON *s = schema_of(schema, path);
    if (!s) fail_msg("%s is not in the schema", path);
    if (cJSON_IsObject(item)) {
      assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(s, "additionalProperties")));
      n += check_described(schema, item, path);
    } else {
      n++;
      assert_true(cJSON_IsString(cJSON_GetObjectItemCaseSensitive(s, "description")));
      assert_true(cJSON_Compare(cJSON_GetObjectItemCaseSensitive(s, "default"), item, true));
      assert_true(cJSON_HasObjectItem(s, "type") != cJSON_HasObjectItem(s, "enum"));
    }
    mem_free(path);
  }
  return n;
}

static void test_schema_covers_every_key(void **state) {
  (void)state;
  config c = load_ok("{}", NULL);
  str text = {0}, schema_text = {0};
  config_write(&c, &text);
  config_schema(&schema_text);
  json_doc doc, schema;
  err e = {0};
  if (json_parse("config", text.data, text.len, &doc, &e)) fail_msg("%s", e.text);
  if (json_parse("schema", schema_text.data, schema_text.len, &schema, &e)) fail_msg("%s", e.text);
  assert_int_equal(check_described(&schema, doc.root, ""), 73);
  assert_non_null(schema_of(&schema, "model.norm.final.alpha0"));
  assert_non_null(schema_of(&schema, "model._about"));
  assert_non_null(schema_of(&schema, "_base_"));
  assert_null(schema_of(&schema, "model._base_"));
  const cJSON *dropout = schema_of(&schema, "model.dropout");
  assert_true(cJSON_GetObjectItemCaseSensitive(dropout, "exclusiveMaximum")->valuedouble == 1);
  assert_true(cJSON_GetObjectItemCaseSensitive(dropout, "minimum")->valuedouble == 0);
  json_free(&doc);
  json_free(&schema);
  str_free(&text);
  str_free(&schema_text);
  config_free(&c);
}

static void explain(const char *key, str *out) {
  err e = {0};
  str_clear(out);
  if (config_explain(key, out, &e)) fail_msg("%s", e.text);
}

static void test_explain(void **state) {
  (void)state;
  str out = {0};
  explain("model.norm.fn", &out);
  assert_non_null(strstr(out.data, "default \"tanh\""));
  assert_non_null(strstr(out.data, "isru         z / sqrt(1 + z^2)\n"));
  assert_null(strstr(out.data, "gelu"));
  assert_null(strstr(out.data, "alpha0:"));
  explain("model.norm", &out);
  assert_non_null(strstr(out.data, "model.norm.alpha_learnable\n"));
  assert_non_null(strstr(out.data, "model.norm.attn, model.norm.ffn, model.norm.final\n"));
  assert_null(strstr(out.data, "model.dim"));
  explain("model.norm.ffn.eps", &out);
  assert_non_null(strstr(out.data, "model.norm.ffn.eps\n"));
  assert_non_null(strstr(out.data, "default what model.norm says; a number from 0\n"));
  explain("", &out);
  assert_non_null(strstr(
      out.data,
      "train.batch_size\n    images a batch; train.accumulate batches make a step\n    default 128; a whole number from 1 to 1000000\n"));
  assert_null(strstr(out.data, "model.norm.attn.")); /* the sites' keys are said once */
  str_free(&out);
  static const char *const wrong[][2] = {{"model.norm.alpa0", "\"model.norm.alpha0\""},
                                         {"optin", "\"optim\""},
                                         {"model.nrom", "\"model.norm\""}};
  for (int i = 0; i < 3; i++) {
    err e = {0};
    assert_int_equal(config_explain(wrong[i][0], &out, &e), ST_USER);
    if (!strstr(e.text, wrong[i][1])) fail_msg("%s", e.text);
  }
  str_free(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_unknown_keys),
      cmocka_unit_test(test_bad_values),
      cmocka_unit_test(test_nearest_value),
      cmocka_unit_test(test_randaugment_strings),
      cmocka_unit_test(test_edges_are_allowed),
      cmocka_unit_test(test_cross_checks),
      cmocka_unit_test(test_every_error_is_listed),
      cmocka_unit_test(test_more_errors_than_fit_are_counted),
      cmocka_unit_test(test_defaults),
      cmocka_unit_test(test_null_is_the_default),
      cmocka_unit_test(test_lists),
      cmocka_unit_test(test_norm_sites),
      cmocka_unit_test(test_schema_covers_every_key),
      cmocka_unit_test(test_explain),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
