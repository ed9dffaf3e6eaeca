#!/usr/bin/env bash
# Seeds the one-line bugs of tests/mutants.txt into a copy of the sources, one at a time, and expects the named test of the double build to
# fail: a suite that misses one is blind there. Usage: scripts/mutants.sh [NUMBER...]
set -euo pipefail
cd "$(dirname "$0")/.."

tree=build/mutants # a copy with the product's own Makefile; unchanged objects are kept from one mutant to the next
find Makefile src include tests scripts -type f | while read -r f; do # only what differs, so that times stay true
  cmp -s "$f" "$tree/$f" || { mkdir -p "$(dirname "$tree/$f")"; cp "$f" "$tree/$f"; }
done
cd $tree

field() { awk -F ' @@ ' -v n="$2" '{print $n}' <<<"$1"; }

# Replaces the one place where $2 stands in file $1 by $3.
mutate() {
  FIND=$2 REPLACE=$3 perl -0pi -e 's/\Q$ENV{FIND}\E/$n++ ? $ENV{FIND} : $ENV{REPLACE}/ge; END { exit($n == 1 ? 0 : 1) }' "$1"
}

# Builds and runs one test; 0: it passed.
passes() {
  CI= make -s --no-print-directory "build/f64/tests/$1" build/f64/dyt >build.log 2>&1 || { cat build.log >&2; exit 1; }
  DYT=build/f64/dyt DYT_F64=build/f64/dyt timeout 120 "build/f64/tests/$1" >test.log 2>&1
}

mapfile -t mutants < <(grep -v '^#' tests/mutants.txt)
for test in $(for m in "${mutants[@]}"; do field "$m" 4; done | sort -u); do
  passes "$test" || { echo "$test fails without any mutant:"; tail -20 test.log; exit 1; }
done

caught=0 missed=0
for i in "${!mutants[@]}"; do
  [ $# -eq 0 ] || [[ " $* " == *" $((i + 1)) "* ]] || continue
  file=$(field "${mutants[i]}" 1) test=$(field "${mutants[i]}" 4)
  cp "$file" kept
  mutate "$file" "$(field "${mutants[i]}" 2)" "$(field "${mutants[i]}" 3)" ||
    { echo "mutant $((i + 1)): '$(field "${mutants[i]}" 2)' does not stand once in $file"; exit 1; }
  if passes "$test"; then
    missed=$((missed + 1))
    echo "mutant $((i + 1)) is not caught by $test: $file: $(field "${mutants[i]}" 3)"
  else
    caught=$((caught + 1))
  fi
  cp kept "$file" # newer than the mutant's object: it is built again
done
echo "mutants: $caught caught, $missed missed"
[ $missed -eq 0 ]
