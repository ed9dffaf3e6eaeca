#!/usr/bin/env bash
# Runs the studies of configs/paper at one tier, makes their tables and figures, and one page of all. Usage: scripts/paper.sh [quick|standard|long]
# Results go to results/TIER/, a record of every run to results/records/. What is there is not trained again: interrupt it and
# start it again as you like. RUNS and OUT in the environment name other folders.
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-quick} in
  quick | standard | long) tier=${1:-quick} ;;
  --help | -h) sed -n '2,4s/^# //p' "$0"; exit 0 ;;
  *) echo "paper.sh: unknown tier '$1': expected quick, standard or long" >&2; exit 2 ;;
esac
runs=${RUNS:-results/records} out=${OUT:-results/$tier}
dyt=build/dyt

# Others use what tuning chooses; the rest in the order of what is asked first.
studies=(tuning fig9_alpha0 table1_ln_vs_dyt table7_functions table8_alpha fig8_alpha_vs_std fig2_ln_shapes train_loss_eval_mode
         fig10_stability affine sites data_fraction init_scale derf_functions)
if [ "$tier" = long ]; then
  [ -d data/cifar10-images ] || { echo "paper.sh: the long tier needs CIFAR-10 as pictures in data/cifar10-images (data/README.md)" >&2; exit 2; }
else
  scripts/fetch_data.sh fashion-mnist
fi

folders=() begun=$SECONDS
for name in "${studies[@]}"; do
  study=configs/paper/$name.json
  grep -q "^ *\"tiers\".*\"$tier\": {\|^ *\"$tier\": {" "$study" 2>/dev/null || continue
  keep=record
  [ "$name" = fig2_ln_shapes ] && keep=last # its figure needs the weights of one run
  echo "== $name ($tier), $(((SECONDS - begun) / 60)) min"
  $dyt study "$study" --tier "$tier" --runs "$runs" --out "$out/$name" --keep "$keep" >/dev/null
  folders+=("$out/$name")
done

# Input against output of one LayerNorm run; without its weights (records from another machine) the picture stays as it is.
shapes=$out/fig2_ln_shapes
if [ -d "$shapes" ]; then
  id=$(sed -n 's/.*"id": "\([0-9a-f]*\)".*"seed": 0.*/\1/p' "$shapes/runs.json" | head -n 1)
  if [ -d "$runs/$id" ]; then $dyt probe "$runs/$id" --out "$shapes/figures" >/dev/null; fi
  for run in $(sed -n 's/.*"id": "\([0-9a-f]*\)".*/\1/p' "$shapes/runs.json"); do rm -rf "${runs:?}/$run"; done
fi
$dyt report "${folders[@]}" --out "$out/report.html"
echo "$tier: $(((SECONDS - begun) / 60)) min"
