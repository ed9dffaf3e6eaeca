#!/usr/bin/env bash
# Published tables are what the records beside them give, and the studies of configs/paper still name those records.
# Prints one line a check, as scripts/run_tests.sh reads them. DYT: the program (default build/dyt)
set -u
cd "$(dirname "$0")/.."
dyt=${DYT:-build/dyt} passed=0 failed=0
said=$(mktemp) made=$(mktemp -d)
trap 'rm -rf "$said" "$made"' EXIT
check() { # what, then a command that must succeed
  local what=$1
  shift
  if "$@" >"$said" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$what:"
    head -n 20 "$said"
    return 1
  fi
}
# A study with all its records has nothing left to run.
nothing_missing() { # folder of tiers, tier, study
  local left
  left=$("$dyt" study "configs/paper/$3.json" --tier "$2" --runs "$1/records" --commands) || return 1
  [ -z "$left" ] || { echo "$left"; return 1; }
}

same_json() { "$dyt" table "$1" --format json | diff - "$1/table.json"; }

for all in results results/again; do
  for folder in "$all"/{quick,standard,long}/*/; do
    [ -f "$folder"table.md ] || continue
    folder=${folder%/} name=$(basename "$folder") tier=$(basename "$(dirname "$folder")")
    check "$folder/table.json" same_json "$folder"
    check "$folder: runs" nothing_missing "$all" "$tier" "$name" || continue
    "$dyt" study "configs/paper/$name.json" --tier "$tier" --runs "$all/records" --out "$made/$folder" >/dev/null
    for table in table.md table.csv table.tex table.json; do check "$folder/$table" diff "$made/$folder/$table" "$folder/$table"; done
  done
done
echo "[  PASSED  ] $passed test(s)."
[ $failed -eq 0 ] || echo "[  FAILED  ] $failed test(s)."
[ $failed -eq 0 ]
