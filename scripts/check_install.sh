#!/usr/bin/env bash
# Installs into a folder below build/ and uses what is there as others do: builds examples/predict.c with pkg-config, shared and static, and
# compares its answers with predictions.csv of a run trained by the installed program, whose data set is gone by then; looks for every command and option in manual pages and
# completion; uninstalls. Prints a line a check, as the test programs do. Usage: scripts/check_install.sh
set -uo pipefail
cd "$(dirname "$0")/.."

stage=$PWD/build/install-check prefix=/opt/dyt
root=$stage$prefix
rm -rf "$stage"
mkdir -p "$stage/data" "$stage/home"
CC=${CC:-cc}
passed=0 failed=0
check() { # name, command...
  if "${@:2}"; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "[  FAILED  ] $1"; fi
}

quiet_make() { make -s --no-print-directory PREFIX=$prefix DESTDIR="$stage" "$1" >"$stage/make.log" 2>&1 || { cat "$stage/make.log"; false; }; }
pc() { PKG_CONFIG_PATH=$root/lib/pkgconfig pkg-config --define-variable=prefix="$root" "$@" dyt; }

# 8x8 images whose class is where they are bright, as MNIST's files.
write_data() {
  perl -e '
    my ($folder, $seed) = (shift, 1);
    for (["train", 300], ["t10k", 70]) {
      my ($name, $n) = @$_;
      open my $images, ">:raw", "$folder/$name-images-idx3-ubyte" or die;
      open my $labels, ">:raw", "$folder/$name-labels-idx1-ubyte" or die;
      print $images pack("N4", 0x803, $n, 8, 8);
      print $labels pack("N2", 0x801, $n);
      for my $i (0 .. $n - 1) {
        my $class = $i % 4;
        print $labels chr $class;
        for my $pixel (0 .. 63) {
          $seed = ($seed * 1103515245 + 12345) % 2147483648;
          print $images chr(($seed >> 16) % 120 + ($pixel >> 4 == $class ? 60 : 0));
        }
      }
    }' "$stage/data"
}
train() {
  cat >"$stage/tiny.json" <<JSON
{ "model": { "patch_size": 4, "dim": 16, "depth": 2, "heads": 2, "norm": { "kind": "dyt" } },
  "data": { "format": "idx", "path": "$stage/data", "mean": [0.3], "std": [0.2], "class_names": ["top", "upper", "lower", "bottom"] },
  "schedule": { "epochs": 3, "warmup_epochs": 0.5 }, "train": { "batch_size": 20 } }
JSON
  "$root/bin/dyt" train "$stage/tiny.json" --run-dir "$stage/run" 2>"$stage/train.log" || { cat "$stage/train.log"; return 1; }
  mv "$stage/data" "$stage/elsewhere"
}

# Every image's class and probability are those of predictions.csv; more than one class is among them.
agrees() {
  tail -c +17 "$stage/elsewhere/t10k-images-idx3-ubyte" | "$stage/$1" "$stage/run" >"$stage/$1.csv" || return 1
  tail -n +2 "$stage/run/predictions.csv" | paste -d, - "$stage/$1.csv" | awk -F, '
    BEGIN { split("top,upper,lower,bottom", name, ",") }
    { seen[$3] = 1; d = $4 - $8; if ($1 != $6 || name[$3 + 1] != $7 || d > 1e-6 || d < -1e-6) { print "line " NR ": " $0; bad = 1 } }
    END { exit bad || NR != 70 || length(seen) < 2 }'
}

# shellcheck disable=SC2046
build_shared() { $CC -std=c11 -Wall -Wextra -Werror examples/predict.c -o "$stage/shared" $(pc --cflags --libs) -Wl,-rpath,"$root/lib"; }
# shellcheck disable=SC2046
build_static() { $CC -std=c11 -Wall -Wextra -Werror examples/predict.c -o "$stage/static" $(pc --cflags --static --libs | sed 's/-ldyt/-l:libdyt.a/'); }
# No `| grep -q` below pipefail: it leaves at the first match, and who still writes then fails.
needs() { [[ $(readelf -d "$1") == *NEEDED*libdyt.so.0* ]]; }
needs_not() { ! needs "$1"; }
exports_dyt_only() { [ "$(nm -D --defined-only "$root/lib/libdyt.so" | grep -v ' A ' | sed 's/@.*//' | awk '$3 !~ /^dyt_/' | wc -l)" = 0 ]; }
exports_all_of_dyt() {
  local name
  for name in $(grep -o '\bdyt_[a-z_]*(' include/dyt/dyt.h | tr -d '(' | sort -u); do
    grep -q " $name@\| $name$" <<<"$(nm -D --defined-only "$root/lib/libdyt.so")" || { [ "$name" = dyt_watch ] || { echo "not exported: $name"; return 1; }; }
  done
}
finds_openblas() { [[ $(ldd "$1") == *openblas-openmp/* ]] || [ -z "$(ls -d /usr/lib/*/openblas-openmp 2>/dev/null)" ]; }
# GSL brings a slow CBLAS of its own, which must not come first.
calls_openblas() { grep -c "binding file $1 .*/libopenblas.*\`cblas_sgemm'" <<<"$(LD_DEBUG=bindings LD_BIND_NOW=1 "$1" 2>&1)" >/dev/null; }

# Options of a command, from its help.
options_of() { "$root/bin/dyt" "$1" --help | sed -n 's/^  --\([a-z-]*\).*/\1/p'; }
commands() { "$root/bin/dyt" --help | sed -n '/^usage/,/^First/s/^  \([a-z]*\) .*/\1/p'; }
pages_are_complete() {
  local c o page
  for c in $(commands); do
    page=$root/share/man/man1/dyt-$c.1
    grep -q "dyt\\\\-$c (1)" "$root/share/man/man1/dyt.1" || { echo "dyt.1 lacks $c"; return 1; }
    for o in $(options_of "$c"); do
      grep -qF "\\-\\-${o//-/\\-}" "$page" || { echo "$page lacks --$o"; return 1; }
    done
  done
  [ -n "$c" ] && [ -n "$o" ]
}
pages_are_clean() {
  local page said
  for page in "$root"/share/man/man1/*.1; do
    said=$(groff -man -ww -Tutf8 -z "$page" 2>&1) && [ -z "$said" ] || { echo "$said"; return 1; }
  done
}
completes() { # words of the line..., what must be among the answers
  HOME=$stage/home bash --norc -c '
    . "$0" || exit 1
    wanted=${*: -1}
    COMP_WORDS=("${@:1:$#-1}") COMP_CWORD=$(($# - 2))
    _dyt
    for answer in "${COMPREPLY[@]}"; do [ "$answer" != "$wanted" ] || exit 0; done
    echo "$*: only ${COMPREPLY[*]}"; exit 1' "$root/share/bash-completion/completions/dyt" "$@"
}
completes_all() {
  local c o
  for c in $(commands); do
    completes dyt "${c:0:1}" "$c" || return 1
    for o in $(options_of "$c"); do completes dyt "$c" --"${o:0:1}" --"$o" || return 1; done
  done
}
nothing_is_left() { [ -z "$(find "$root" ! -type d)" ] && [ ! -e "$root/include/dyt" ]; }

check "make install" quiet_make install
check "pkg-config knows the version" [ "$(pc --modversion)" = "$("$root/bin/dyt" --version | cut -d' ' -f2)" ]
check "the program finds OpenBLAS" finds_openblas "$root/bin/dyt"
check "the program calls OpenBLAS" calls_openblas "$root/bin/dyt"
check "data" write_data
check "dyt train" train
check "the example, shared" build_shared
check "it needs libdyt.so.0" needs "$stage/shared"
check "the shared example agrees with predictions.csv" agrees shared
check "the example, static" build_static
check "it does not need libdyt.so.0" needs_not "$stage/static"
check "the static example calls OpenBLAS" calls_openblas "$stage/static"
check "the static example agrees with predictions.csv" agrees static
check "the shared library exports dyt_ functions only" exports_dyt_only
check "the shared library exports every function of dyt.h" exports_all_of_dyt
check "manual pages have every command and option" pages_are_complete
check "manual pages are clean roff" pages_are_clean
check "completion knows every command and option" completes_all
check "completion knows the words of an argument" completes dyt eval x --checkpoint b best
check "completion knows the benchmarks" completes dyt bench no norms
check "make uninstall" quiet_make uninstall
check "nothing is left" nothing_is_left

echo "[  PASSED  ] $passed test(s)."
[ $failed -eq 0 ] || echo "[  FAILED  ] $failed test(s)."
[ $failed -eq 0 ]
