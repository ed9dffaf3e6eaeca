#!/usr/bin/env bash
# Published tables are what the records in results/records give, and the studies of configs/paper still name those records.
# Prints one line a check, as scripts/run_tests.sh reads them. DYT: the program (default build/dyt)
set -u
cd "$(dirname "$0")/.."
dyt=${DYT:-build/dyt} passed=0 failed=0
said=$(mktemp)
trap 'rm -f "$said"' EXIT
check() { # what, then a command that must succeed
  local what=$1
  shift
  if "$@" >"$said" 2>&1; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    echo "$what:"
    head -n 20 "$said"
  fi
}
same_table() { "$dyt" table "$1" --format "$2" | diff - "$1/$3"; }
# A study with all its records has nothing left to run.
nothing_missing() {
  local left
  left=$("$dyt" study "configs/paper/$2.json" --tier "$1" --runs results/records --commands) || return 1
  [ -z "$left" ] || { echo "$left"; return 1; }
}

for page in results/*/*/table.md; do
  folder=${page%/table.md} name=$(basename "${page%/table.md}") tier=$(basename "$(dirname "${page%/table.md}")")
  for form in md:table.md csv:table.csv latex:table.tex json:table.json; do
    check "$folder/${form#*:}" same_table "$folder" "${form%:*}" "${form#*:}"
  done
  grep -q "not done yet" "$page" || check "$name ($tier)" nothing_missing "$tier" "$name"
done
echo "[  PASSED  ] $passed test(s)."
[ $failed -eq 0 ] || echo "[  FAILED  ] $failed test(s)."
[ $failed -eq 0 ]
