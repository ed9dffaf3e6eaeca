#!/usr/bin/env bash
# Runs test programs one after another, shows the output of those that fail, and ends with "N passed, N failed".
# Usage: scripts/run_tests.sh PROGRAM...        DYT: the program that command-line tests run (default build/dyt)
set -u
export DYT=${DYT:-build/dyt} DYT_F64=${DYT_F64:-build/f64/dyt}
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for program in "$@"; do
  begun=$(date +%s%N)
  "$program" >"$log" 2>&1
  code=$?
  p=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test(s).*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
  f=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test(s).*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
  [[ $(tail -n 1 "$log") =~ ^mutants:\ ([0-9]+)\ caught,\ ([0-9]+)\ missed$ ]] && p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]}
  [ $code -ne 0 ] && [ "$f" = 0 ] && f=1 # it crashed
  passed=$((passed + p)) failed=$((failed + f))
  printf '%-36s %3d passed %3d failed  %6d ms\n' "${program#build/}" "$p" "$f" $((($(date +%s%N) - begun) / 1000000))
  [ $code -eq 0 ] || tail -n 40 "$log"
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
