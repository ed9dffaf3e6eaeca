#!/usr/bin/env bash
# Trains the LayerNorm and the Dynamic Tanh variant of one small ViT on Fashion-MNIST, evaluates both, prints a table and draws them.
# `make quickstart` calls it after building. A second run finds the first one's result and says so.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/fetch_data.sh fashion-mnist
# The numbers that a key has in a file of JSON lines: of each line the first (eval.json has more below "classes").
numbers() { sed "s/\"$2\": /\n&/" "$1" | sed -n "s/^\"$2\": \([-0-9.e]*\).*/\1/p"; }
number() { numbers "$@" | tail -n 1; }

rows=
for norm in ln dyt; do
  run=runs/quickstart-$norm
  if [ -f $run/status.json ]; then
    build/dyt train --resume $run # finished: nothing to do; interrupted: goes on
  else
    rm -rf $run
    build/dyt train configs/quick/fashion_$norm.json --run-dir $run
  fi
  build/dyt eval $run --json >$run/eval.json
  images=$(numbers $run/log.jsonl img_per_s | awk '{sum += $1; n++} END {printf "%.0f", sum / n}')
  rows+=$(printf '%-22s %7.2f%% %12.4f %10s %9.0f   %s' \
    "$([ $norm = ln ] && echo LayerNorm || echo 'Dynamic Tanh (DyT)')" \
    "$(awk -v a="$(number $run/eval.json acc1)" 'BEGIN {print 100 * a}')" "$(number $run/log.jsonl train_loss)" "$images" \
    "$(number $run/log.jsonl seconds)" "$run")$'\n'
done
printf '\n%-22s %8s %12s %10s %9s   %s\n%s' "Fashion-MNIST" "top-1" "train loss" "images/s" "seconds" "run" "$rows"
plots=runs/quickstart-plots
if build/dyt plot runs/quickstart-ln runs/quickstart-dyt --out $plots >/dev/null; then
  printf '\nPictures of both in %s: curves.png (loss, accuracy), norms.png (alpha and 1/std over steps), alpha_std.png; SVG too.\n' $plots
fi
printf 'Each run holds config.json, log.jsonl, dyt.csv (alpha and 1/std of every norm layer) and checkpoints.\n'
printf 'Next: build/dyt train configs/quick/fashion_dyt.json --set model.norm.fn=hardtanh\n'
