/* Config files: what is read and merged, that every mistake is one clear sentence with its place, and what is
 * written. */
#define _GNU_SOURCE
#include "config_support.h"
#include "dyt/file.h"
#include "dyt/json.h"

#include <sys/stat.h>

/* ---- the text of a file ---- */

static void test_syntax(void **state) {
  (void)state;
  refuse("", "c.json:1:1: found nothing, expected a JSON object");
  refuse(" \n// nothing\n", "c.json:1:1: found nothing");
  refuse("{\"train\": {\"seed\": 1},}", "c.json:1:22: found a comma before '}'");
  refuse("{\"optim\": {\"betas\": [0.9, 0.99,\n ]}}", "c.json:1:31: found a comma before ']'");
  refuse("{} trailing", "c.json:1:4: found 'trailing', expected nothing after");
  refuse("{}}", "c.json:1:3: found '}'");
  refuse("{\n  \"data\": {\"path\": \"a\n\"}}", "c.json:2:20: this string has no closing quote");
  refuse("{\"data", "c.json:1:2: this string has no closing quote");
  refuse("{\"data\": {\"path\": \"a\tb\"}}", "c.json:1:21: found the control character 0x09");
  refuse("{\"data\": {\"path\": \"a\\qb\"}}", "c.json:1:21: found an unknown escape");
  refuse("{\"data\": {\"path\": \"\\u12g4\"}}", "c.json:1:20: expected four hexadecimal digits");
  refuse("{\"data\": {\"path\": \"\\u0000\"}}", "c.json:1:20: found \\u0000");
  refuse("{\"data\": {\"path\": \"\\ud800x\"}}", "c.json:1:20: found half of a surrogate pair");
  refuse("{\"data\": {\"path\": \"\xc3\xa4 \xff\"}}", "c.json:1:22: found the byte 0xff, which is not UTF-8");
  refuse("{\"data\": {\"path\": \"\xc0\x80\"}}", "c.json:1:20: found the byte 0xc0, which is not UTF-8");
  refuse("{\"data\" {}}", "c.json:1:9: found '{', expected ':'");
  refuse("{data: 1}", "c.json:1:2: found 'data', expected a key in quotes");
  refuse("{\"data\": {}", "c.json:1:12: found the end of the file, expected ',' or '}'");
  refuse("{\"data\": ", "c.json:1:10: found the end of the file, expected a value");
  refuse("{\"data\": {} \"optim\": {}}", "c.json:1:13: found '\"', expected ',' or '}'");
  refuse("{'data': {}}", "c.json:1:2: found ''', expected a key");
  refuse("[1, 2]", "c.json:1:1: expected a JSON object");
  refuse("{} /* no */", "c.json:1:4: found '/'");
}

static void test_numbers(void **state) {
  (void)state;
  static const char *const bad[] = {"01", "1.", ".5", "+1", "1e", "0x10", "1.5.2", "-", "--1"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char *text = mem_printf("{\"optim\":\n{\"lr\": %s}}", bad[i]);
    refuse(text, "c.json:2:8: ");
    mem_free(text);
  }
  refuse("{\"optim\": {\"lr\": NaN}}", "c.json:1:18: found 'NaN', expected a value");
  refuse("{\"optim\": {\"lr\": truely}}", "c.json:1:18: found 'truely', expected a value");
  refuse("{\"optim\": {\"lr\": 1e999}}", "c.json:1:18: this number is larger than a double can hold");
  refuse("{\"optim\": {\"lr\": 0.1000000000000000000000000000000000000000000000000000000000001}}",
         "c.json:1:18: found a number of 63 characters");
}

static void test_files(void **state) {
  (void)state;
  put_bytes("c.json",
            "\x7f"
            "ELF\0\1\2",
            7);
  assert_error("c.json", NULL, "c.json:1:1: found the byte 0x7f");
  put_bytes("c.json", "{}\0{}", 5);
  assert_error("c.json", NULL, "c.json:1:3: found the byte 0x00");
  assert_error("none.json", NULL, "none.json: cannot be read: No such file");
  char *path = mem_printf("%s/folder", folder);
  assert_int_equal(mkdir(path, 0777), 0);
  mem_free(path);
  assert_error("folder", NULL, "folder: expected a file, found a folder");
  char *large = mem_new(JSON_SIZE_MAX + 1, 1);
  put_bytes("c.json", large, JSON_SIZE_MAX + 1);
  assert_error("c.json", NULL, "c.json: 16777217 bytes");
  mem_free(large);
}

static void test_depth_and_size(void **state) {
  (void)state;
  enum { DEEP = 100000 };
  char *text = mem_new(3 * DEEP + 1, 1);
  memset(text, '[', DEEP);
  refuse(text, "c.json:1:65: nested deeper than 64 levels");
  for (int i = 0; i < DEEP; i++) memcpy(text + 2 * i, i ? ",1" : "[1", 2);
  strcat(text, "]");
  refuse(text, "c.json:1:131072: more than 65536 values");
  mem_free(text);
  json_doc d;
  err e = {0};
  char nested[2 * JSON_DEPTH_MAX + 1] = {0};
  memset(nested, '[', JSON_DEPTH_MAX);
  memset(nested + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
  assert_int_equal(json_parse("nested", nested, sizeof nested - 1, &d, &e), ST_OK);
  json_free(&d);
}

static void test_duplicate_keys(void **state) {
  (void)state;
  refuse("{\"train\": {\"seed\": 1,\n  \"seed\": 1}}",
         "c.json:2:3: train.seed: this key is there already, at line 1, column 12");
  refuse("{\"train\": {},\n \"tr\\u0061in\": {}}", "c.json:2:2: train: this key is there already");
  config c = load_ok("{\"train\": {\"seed\": 1}, \"optim\": {\"lr\": 1, \"eps\": 1}}", NULL);
  config_free(&c);
}

static void test_comments(void **state) {
  (void)state;
  config c = load_ok(
      "\xef\xbb\xbf// first \xff\n{ // second, \"x\": {\n \"data\": {\"path\": \"http://a//b\"}, // \"\n\"train\": {\"seed\": 7}} // end",
      NULL);
  assert_string_equal(c.data.path, "http://a//b");
  assert_int_equal(c.train.seed, 7);
  config_free(&c);
  refuse("// a comment\n{ // another\n  \"trian\": {}}",
         "c.json:3:3: trian: unknown key, did you mean \"train\"?");
}

/* ---- merging ---- */

static void test_bases(void **state) {
  (void)state;
  char *sub = mem_printf("%s/sub", folder);
  assert_int_equal(mkdir(sub, 0777), 0);
  mem_free(sub);
  put("sub/a.json",
      "{\"_about\": \"a\", \"_base_\": \"deep.json\", \"optim\": {\"lr\": 1, \"eps\": 1}, \"data\": {\"mean\": [1, 2]}}");
  put("sub/deep.json", "{\"schedule\": {\"epochs\": 77}, \"optim\": {\"lr\": 5, \"weight_decay\": 5}}");
  put("b.json", "{\"optim\": {\"lr\": 2}, \"data\": {\"mean\": [3]}}");
  config c = load_ok(
      "{\"_about\": \"c\", \"_base_\": [\"sub/a.json\", \"sub/../b.json\"],\n \"train\": {\"seed\": 9}}",
      SETS("train.seed=10"));
  assert_true(c.optim.lr == 2 && c.optim.eps == 1 && c.optim.weight_decay == 5 && c.schedule.epochs == 77);
  assert_true(c.data.n_mean == 1 && c.data.mean[0] == 3 && c.train.seed == 10);
  str shown = {0};
  config_show(&c, &shown);
  static const char *const lines[][2] = {{"optim.lr ", "/b.json:1:12\n"},
                                         {"optim.eps ", "/sub/a.json:1:59\n"},
                                         {"schedule.epochs ", "/sub/deep.json:1:15\n"},
                                         {"train.seed ", "--set 1 (train.seed=10)\n"},
                                         {"train.shards ", "# default\n"}};
  for (int i = 0; i < 5; i++) {
    const char *line = strstr(shown.data, lines[i][0]), *end = line ? strstr(line, lines[i][1]) : NULL;
    if (!end || memchr(line, '\n', (size_t)(end - line)))
      fail_msg("%s%s in: %s", lines[i][0], lines[i][1], shown.data);
  }
  assert_null(strstr(shown.data, ".."));
  str_free(&shown);
  config_free(&c);
}

static void test_bad_bases(void **state) {
  (void)state;
  put("x.json", "{\"_base_\": \"y.json\"}");
  put("y.json", "{\n \"_base_\": [\"z.json\"]}");
  put("z.json", "{\"_base_\": \"./x.json\"}");
  config c;
  err e;
  assert_int_equal(load("x.json", NULL, &c, &e), ST_USER);
  assert_int_equal(e.count, 1);
  char *chain =
      mem_printf("leads back to the file itself: %s/x.json -> %s/y.json -> %s/z.json -> %s/./x.json", folder,
                 folder, folder, folder);
  if (!strstr(e.text, chain)) fail_msg("%s", e.text);
  mem_free(chain);
  put("bad.json", "{\n \"optim\": }");
  refuse("{\"_base_\": \"bad.json\"}", "bad.json:2:11: found '}', expected a value");
  refuse("{\"_base_\": \"none.json\"}", "c.json:1:2: _base_: ");
  refuse("{\"_base_\": \"c.json\"}", "c.json: _base_ leads back to the file itself");
  refuse("{\"_base_\": 3}", "c.json:1:2: _base_: expected a path or a list of paths");
  refuse("{\"_base_\": [\"b.json\", 3]}", "c.json:1:2: _base_: expected a path or a list of paths");
  refuse("{\"model\": {\"_base_\": \"b.json\"}}",
         "c.json:1:12: _base_: expected only in a file's outermost object");
  refuse("{\"model\": {\"_delete_\": 1}}", "c.json:1:12: _delete_: expected true or false");
  refuse("{\"model\": {\"_about\": 1}}", "c.json:1:12: _about: expected a string");
  put("c.json", "{\"_base_\": [\"none1.json\", \"bad.json\", \"none2.json\"]}");
  assert_int_equal(load("c.json", NULL, &c, &e), ST_USER);
  assert_int_equal(e.count, 3);
}

/* Each file names the next one twice: 2^40 readings if nothing stops them. */
static void test_too_many_bases(void **state) {
  (void)state;
  for (int i = 0; i < 40; i++) {
    char *name = mem_printf("many%d.json", i),
         *text = mem_printf("{\"_base_\": [\"many%d.json\", \"many%d.json\"]}", i + 1, i + 1);
    put(name, i < 39 ? text : "{}");
    mem_free(name);
    mem_free(text);
  }
  config c;
  err e;
  assert_int_equal(load("many0.json", NULL, &c, &e), ST_USER);
  assert_non_null(strstr(e.text, "more than 64 files"));
}

static void test_delete(void **state) {
  (void)state;
  put("b.json",
      "{\"optim\": {\"lr\": 2, \"eps\": 3}, \"model\": {\"norm\": {\"attn\": {\"fn\": \"erf\", \"alpha0\": 3}}}}");
  config c = load_ok("{\"_base_\": \"b.json\", \"optim\": {\"_delete_\": true, \"eps\": 4},"
                     " \"model\": {\"norm\": {\"attn\": {\"_delete_\": false, \"alpha0\": 5}}}}",
                     NULL);
  assert_true(c.optim.lr == 1e-3 && c.optim.eps == 4 && c.model.attn.alpha0 == 5);
  assert_string_equal(c.model.attn.fn, "erf");
  config_free(&c);
  c = load_ok("{\"_base_\": \"b.json\"}", SETS("model.norm={\"attn\": {\"_delete_\": true}}"));
  assert_string_equal(c.model.attn.fn, "tanh");
  assert_true(c.optim.lr == 2);
  config_free(&c);
  c = load_ok("{\"_base_\": \"b.json\", \"_delete_\": true}", NULL);
  assert_true(c.optim.lr == 1e-3);
  config_free(&c);
}

static void test_sets(void **state) {
  (void)state;
  config c = load_ok("{\"optim\": {\"lr\": 5, \"eps\": 5}}",
                     SETS("optim.lr=1", "optim.lr=2", "optim={\"weight_decay\": 3}", "data.path=a=b",
                          "model.norm.kind=layernorm", "data.mean=[1, 2]"));
  assert_true(c.optim.lr == 2 && c.optim.eps == 5 && c.optim.weight_decay == 3 && c.data.n_mean == 2);
  assert_string_equal(c.data.path, "a=b");
  assert_string_equal(c.model.ffn.kind, "layernorm");
  config_free(&c);
  c = load_ok("{}", SETS("data.path=\"3\"", "optim.lr=3", "optim.lr=null"));
  assert_string_equal(c.data.path, "3");
  assert_true(c.optim.lr == 1e-3);
  config_free(&c);
  refuse_set("optim.lr", "--set 1 (optim.lr): expected key.path=VALUE");
  refuse_set("=1", "--set 1 (=1): expected key.path=VALUE");
  refuse_set("optim..lr=1", "--set 1 (optim..lr=1): expected key.path=VALUE");
  refuse_set("optim.lr.=1", "--set 1 (optim.lr.=1): expected key.path=VALUE");
  refuse_set("optim=1", "--set 1 (optim=1): optim: expected an object");
  refuse_set("optim.lr.x=1", "--set 1 (optim.lr.x=1): optim.lr: found {\"x\": 1}, expected a number");
  refuse_set("_base_=b.json", "--set 1 (_base_=b.json): _base_: expected only in a file");
  refuse_set("data.path=\xff", "--set 1 (data.path=\xff):1:2: found the byte 0xff");
  char deep[400] = {0};
  for (int i = 0; i < 150; i++) memcpy(deep + 2 * i, "a.", 2);
  strcat(deep, "a=1");
  refuse_set(deep, "--set 1 (a.a.a");
}

/* ---- the record ---- */

static void test_round_trip(void **state) {
  (void)state;
  config c = load_ok(
      "{\"_about\": \"secret\", \"model\": {\"norm\": {\"alpha0\": 0.1, \"attn\": {\"fn\": \"erf\"}}}, \"optim\": {\"lr\":"
      " 0.30000000000000004}, \"data\": {\"split_seed\": 9007199254740991, \"val_size\": 1000000000000000,"
      " \"path\": \"\\\"\\\\\\u0001\xc3\xa4\"}}",
      NULL);
  assert_same_after_reading(&c);
  config_fill(&c, "model.image_size", 28);
  assert_int_equal(c.model.image_size, 28);
  str text = {0};
  config_write(&c, &text);
  static const char *const parts[] = {
      "{\n  \"model\": {\n    \"family\": \"vit\",\n    \"image_size\": 28,\n",
      "\"lr\": 0.30000000000000004,",
      "\"split_seed\": 9007199254740991",
      "\"val_size\": 1000000000000000",
      "\"alpha0\": 0.1,",
      "\"attn\": {\n        \"fn\": \"erf\"\n      },\n      \"ffn\": {},\n      \"final\": {}\n"};
  for (int i = 0; i < 6; i++)
    if (!strstr(text.data, parts[i])) fail_msg("expected %s in %s", parts[i], text.data);
  assert_null(strstr(text.data, "secret"));
  str_free(&text);
  config_free(&c);
}

static void test_hash(void **state) {
  (void)state;
  char a[17], b[17], other[17];
  config x = load_ok("{\"optim\": {\"eps\": 1, \"lr\": 0.001}}", NULL);
  config_hash(&x, a);
  config y = load_ok("{\"_about\": \"the same\", \"optim\": {\"eps\": 1}}", NULL);
  config_hash(&y, b);
  config z = load_ok("{\"optim\": {\"eps\": 2}}", NULL);
  config_hash(&z, other);
  assert_string_equal(a, b);
  assert_string_not_equal(a, other);
  /* a site's key counts also where it is what the key is by default */
  config all = load_ok("{\"model\": {\"norm\": {\"kind\": \"layernorm\"}}}", NULL);
  config site =
      load_ok("{\"model\": {\"norm\": {\"kind\": \"layernorm\", \"attn\": {\"kind\": \"dyt\"}}}}", NULL);
  config_hash(&all, a);
  config_hash(&site, b);
  assert_string_not_equal(a, b);
  config_free(&all);
  config_free(&site);
  config_free(&x);
  config_free(&y);
  config_free(&z);
}

/* What the data settle is in the record, with its origin, and not in the hash. */
static void test_the_data_settle(void **state) {
  (void)state;
  char before[17], after[17];
  char first[] = "a \"b\"", second[] = "\xc3\xa4", *const name[] = {first, second};
  config c = load_ok("{\"data\": {\"mean\": \"auto\", \"std\": \"auto\"}}", NULL);
  assert_true(c.data.n_mean == 0 && c.data.n_std == 0 && !c.data.class_names);
  config_hash(&c, before);
  config_fill(&c, "model.classes", 2);
  config_fill_numbers(&c, "data.mean", (const double[]){0.25, 0.1, 0.5}, 3);
  config_fill_names(&c, "data.class_names", name, 2);
  config_hash(&c, after);
  assert_string_equal(before, after);
  assert_true(c.data.n_mean == 3 && c.data.mean[1] == 0.1 && c.data.n_class_names == 2);
  assert_string_equal(c.data.class_names[1], name[1]);
  str text = {0};
  config_write(&c, &text);
  config back = load_ok(text.data, NULL);
  assert_int_equal(config_diff(&c, &back, NULL, NULL), 0);
  assert_string_equal(back.data.class_names[0], name[0]);
  str_clear(&text);
  config_show(&c, &text);
  assert_non_null(strstr(text.data, "[0.25, 0.1, 0.5]        # the data\n"));
  assert_non_null(strstr(text.data, "data.std                   = \"auto\""));
  str_free(&text);
  config_free(&back);
  config_free(&c);
}

/* A run's config settles what another leaves open, and nothing else. */
static void test_adopt(void **state) {
  (void)state;
  config own =
      load_ok("{\"model\": {\"image_size\": 28, \"channels\": 1}, \"data\": {\"mean\": [0.25], \"std\": 2,"
              " \"class_names\": [\"x\", \"y\"]}, \"optim\": {\"clip_norm\": 1}}",
              NULL);
  config c = load_ok("{\"model\": {\"channels\": 3}, \"data\": {\"mean\": \"auto\", \"std\": 1}}", NULL);
  config_adopt(&c, &own);
  assert_true(c.model.image_size == 28 && c.model.channels == 3 && c.model.classes == 0);
  assert_true(c.data.mean[0] == 0.25 && c.data.n_mean == 1 && c.data.std[0] == 1 && c.optim.clip_norm == 0);
  config_free(&own);
  assert_string_equal(c.data.class_names[1], "y");
  str changed = {0};
  config again = load_ok("{\"model\": {\"channels\": 3}}", NULL);
  assert_int_equal(config_diff(&again, &c, NULL, &changed), 3);
  str_free(&changed);
  config_free(&again);
  config_free(&c);
}

static void test_diff(void **state) {
  (void)state;
  config a = load_ok(
      "{\"model\": {\"norm\": {\"attn\": {\"fn\": \"erf\"}}}, \"train\": {\"seed\": 1, \"eval_every\": 3}}",
      NULL);
  config b = load_ok(
      "{\"optim\": {\"lr\": 2}, \"train\": {\"seed\": 1}, \"model\": {\"norm\": {\"ffn\": {\"eps\": 1}}}}",
      NULL);
  str out = {0};
  assert_int_equal(config_diff(&a, &b, (const char *const[]){"train.eval_every", NULL}, &out), 3);
  assert_string_equal(
      out.data,
      "model.norm.attn.fn (\"erf\" -> not given), model.norm.ffn.eps (not given -> 1), optim.lr (0.001 -> 2)");
  str_clear(&out);
  assert_int_equal(config_diff(&a, &b, NULL, &out), 4);
  assert_non_null(strstr(out.data, "train.eval_every (3 -> null)"));
  str_free(&out);
  config_free(&a);
  config_free(&b);
}

/* ---- the configs that come with the program ---- */

static void test_shipped_configs(void **state) {
  (void)state;
  static const char *const paths[] = {"configs/base/quick_vit.json", "configs/quick/fashion_ln.json",
                                      "configs/quick/fashion_dyt.json", "configs/synthetic.json"};
  static const char *const kinds[] = {"dyt", "layernorm", "dyt", "dyt"};
  for (int i = 0; i < 4; i++) {
    config c;
    err e = {0};
    if (config_load(paths[i], NULL, 0, &c, &e)) fail_msg("%s", e.text);
    assert_string_equal(c.model.final.kind, kinds[i]);
    if (i < 3)
      assert_true(c.model.dim == 64 && c.model.depth == 4 && c.optim.lr == 4e-3 &&
                  c.data.n_class_names == 10);
    assert_same_after_reading(&c);
    config_free(&c);
    file_bytes b;
    assert_int_equal(file_read(paths[i], 1 << 16, &b, &e), ST_OK);
    assert_non_null(strstr((const char *)b.data, "\"_about\""));
    file_bytes_free(&b);
  }
}

/* The two quick configs are one recipe but for the norm. */
static void test_quick_configs_differ_in_the_norm_only(void **state) {
  (void)state;
  config ln, dyt;
  err e = {0};
  str out = {0};
  assert_int_equal(config_load("configs/quick/fashion_ln.json", NULL, 0, &ln, &e), ST_OK);
  assert_int_equal(config_load("configs/quick/fashion_dyt.json", NULL, 0, &dyt, &e), ST_OK);
  const char *const norm[] = {"model.norm.kind", "model.norm.alpha0", NULL};
  assert_int_equal(config_diff(&ln, &dyt, norm, &out), 0);
  config_free(&ln);
  config_free(&dyt);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_syntax),
      cmocka_unit_test(test_numbers),
      cmocka_unit_test(test_files),
      cmocka_unit_test(test_depth_and_size),
      cmocka_unit_test(test_duplicate_keys),
      cmocka_unit_test(test_comments),
      cmocka_unit_test(test_bases),
      cmocka_unit_test(test_bad_bases),
      cmocka_unit_test(test_too_many_bases),
      cmocka_unit_test(test_delete),
      cmocka_unit_test(test_sets),
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_hash),
      cmocka_unit_test(test_the_data_settle),
      cmocka_unit_test(test_adopt),
      cmocka_unit_test(test_diff),
      cmocka_unit_test(test_shipped_configs),
      cmocka_unit_test(test_quick_configs_differ_in_the_norm_only),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
