#!/usr/bin/env bash
# A file includes only headers of its own layer or a lower one (docs/architecture.md). A public header belongs to the layer
# that has the source of the same name. Prints each violation; exit 1 when there is one.
set -euo pipefail
cd "$(dirname "$0")/.."

layers=(base kernels core ops data nn models train analyze api cli)
rank() { for i in "${!layers[@]}"; do [ "${layers[$i]}" = "$1" ] && echo "$i" && return; done; echo 99; }

# Headers whose source has another name, or none.
declare -A owner=([real]=base [err]=base [cubic]=base [kernel]=kernels [op]=core [ops]=ops [nn]=nn [model]=models [data_format]=data [task]=train [dyt]=api)
for f in src/*/*.c; do
  layer=${f#src/}; layer=${layer%%/*}; stem=$(basename "$f" .c)
  [ -e "include/dyt/$stem.h" ] && owner[$stem]=${owner[$stem]:-$layer}
done

bad=0
# data knows base only, although kernels and core lie between them.
check() { # file, its layer, the header's name
  local of=${owner[$3]:-}
  if [ -z "$of" ]; then echo "$1: include/dyt/$3.h belongs to no layer"; bad=1; return; fi
  if [ "$(rank "$of")" -gt "$(rank "$2")" ]; then echo "$1: layer $2 includes $3.h of layer $of"; bad=1; fi
  if [ "$2" = data ] && [ "$of" != base ] && [ "$of" != data ]; then echo "$1: data may know base only, not $3.h of $of"; bad=1; fi
  if [ "$of" = data ] && [[ $2 =~ ^(core|ops|nn|models)$ ]]; then echo "$1: layer $2 may not know data"; bad=1; fi
}
while read -r f; do
  case $f in
    include/dyt/*) stem=$(basename "$f" .h); layer=${owner[$stem]:-base} ;;
    *) layer=${f#src/}; layer=${layer%%/*} ;;
  esac
  while read -r h; do check "$f" "$layer" "$h"; done < <(sed -n 's/^#include "dyt\/\([a-z0-9_]*\)\.h".*/\1/p' "$f")
done < <(ls include/dyt/*.h; find src -name '*.[ch]')
exit $bad
