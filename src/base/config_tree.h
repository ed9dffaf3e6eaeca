/* config_tree - the resolved config as JSON: every key in the schema's order, each value with its place; not
 * for others. */
#ifndef DYT_BASE_CONFIG_TREE_H
#define DYT_BASE_CONFIG_TREE_H

#include "dyt/json.h"

struct config_tree {
  json_doc doc; /* `root` holds the resolved values; a norm site holds only what the user gave */
  int by_default, by_the_data; /* places of values that the user did not give */
  char hash[17];               /* of what was loaded */
};

#endif
