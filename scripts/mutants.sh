#!/usr/bin/env bash
# Seeds the one-line bugs of tests/mutants.txt into copies of the sources, one at a time on each core, and expects the named test of the
# double build to fail (of a slow one the case that is named): a suite that misses one is blind there.
# Usage: scripts/mutants.sh [NUMBER...]
set -euo pipefail
cd "$(dirname "$0")/.."

trees=build/mutants # one a core, with the product's own Makefile; unchanged objects are kept from one mutant to the next
cores=$(nproc)
if [ ! -d $trees/1/src ]; then # begun with what the double build has compiled: times are kept, so that make takes it
  mkdir -p $trees/1/build
  cp -a Makefile src include tests scripts $trees/1
  [ ! -d build/f64 ] || cp -a build/f64 $trees/1/build
fi
find Makefile src include tests scripts -type f | while read -r f; do # only what differs, so that times stay true
  cmp -s "$f" "$trees/1/$f" || { mkdir -p "$(dirname "$trees/1/$f")"; cp "$f" "$trees/1/$f"; }
done

field() { awk -F ' @@ ' -v n="$2" '{print $n}' <<<"$1"; }

# Replaces the one place where $2 stands in file $1 by $3.
mutate() {
  FIND=$2 REPLACE=$3 perl -0pi -e 's/\Q$ENV{FIND}\E/$n++ ? $ENV{FIND} : $ENV{REPLACE}/ge; END { exit($n == 1 ? 0 : 1) }' "$1"
}

build() { CI= make -s --no-print-directory "$@" >build.log 2>&1 || { cat build.log >&2; exit 1; }; }

# Kernels are compiled and run at one SIMD level only, where a mutant is as wrong as at all three.
export DYT_SIMD=portable
grep -qw avx2 /proc/cpuinfo && DYT_SIMD=avx2
rebuild() {
  local o keep=()
  for o in build/f64/src/kernels/simd/*.o; do [[ $o == *."$DYT_SIMD".o ]] || keep+=(-o "$o"); done
  build "${keep[@]}" "$@"
}

# Runs a test of the tree that is the current folder, "PROGRAM" or "PROGRAM CASE"; 0: it passed.
passes() {
  local program case
  read -r program case <<<"$1"
  DYT=build/f64/dyt DYT_F64=build/f64/dyt timeout 120 "build/f64/tests/$program" ${case:+"$case"} >test.log 2>&1
}

mapfile -t mutants < <(grep -v '^#' tests/mutants.txt)
mapfile -t tests < <(for m in "${mutants[@]}"; do field "$m" 4; done | sort -u)

# Tests and mutants i with i mod cores = $1 - 1, in tree $1. Prints "caught" or "missed" and why, a line each.
work() {
  cd "$trees/$1"
  for ((i = $1 - 1; i < ${#tests[@]}; i += cores)); do
    passes "${tests[i]}" || { (echo "${tests[i]} fails without any mutant:" && tail -20 test.log) >&2; exit 1; }
  done
  for ((i = $1 - 1; i < ${#mutants[@]}; i += cores)); do
    [ ${#wanted[@]} -eq 0 ] || [[ " ${wanted[*]} " == *" $((i + 1)) "* ]] || continue
    file=$(field "${mutants[i]}" 1) test=$(field "${mutants[i]}" 4)
    cp "$file" kept
    mutate "$file" "$(field "${mutants[i]}" 2)" "$(field "${mutants[i]}" 3)" ||
      { echo "mutant $((i + 1)): '$(field "${mutants[i]}" 2)' does not stand once in $file" >&2; exit 1; }
    rebuild "build/f64/tests/${test%% *}" build/f64/dyt
    if passes "$test"; then
      echo "missed mutant $((i + 1)) is not caught by $test: $file: $(field "${mutants[i]}" 3)"
    else
      echo caught
    fi
    cp kept "$file" # newer than the mutant's object: it is built again
  done
}

wanted=("$@")
(
  cd $trees/1
  programs=("${tests[@]%% *}")
  build -j"$cores" "${programs[@]/#/build/f64/tests/}" build/f64/dyt
)
workers=()
trap 'kill "${workers[@]}" 2>/dev/null || true' EXIT # one that fails ends the others
for ((w = 1; w <= cores; w++)); do
  if [ "$w" -gt 1 ]; then rm -rf "${trees:?}/$w" && cp -a $trees/1 "$trees/$w"; fi
done
for ((w = 1; w <= cores; w++)); do
  work "$w" >"$trees/$w.found" &
  workers+=($!)
done
for pid in "${workers[@]}"; do wait "$pid"; done
cat $trees/*.found | sed -n 's/^missed //p'
caught=$(cat $trees/*.found | grep -c '^caught' || true) missed=$(cat $trees/*.found | grep -c '^missed' || true)
echo "mutants: $caught caught, $missed missed"
[ "$missed" -eq 0 ]
