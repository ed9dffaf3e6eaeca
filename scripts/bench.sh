#!/usr/bin/env bash
# Runs every benchmark of dyt on three model sizes and prints one summary. Under 5 minutes on 2 cores; nothing else should run.
# `make bench` calls it after building. Results: build/bench/*.json, and growth.csv, .gp, .svg and .png. docs/speed.md says how to read them.
set -euo pipefail
cd "$(dirname "$0")/.."

out=build/bench
rm -rf $out
mkdir -p $out

# The model sizes of docs/speed.md: dim/depth/heads, 28x28, patch 4, batch 128.
sizes="192/6/3 128/6/4 64/4/4"
keys() { # SIZE
  IFS=/ read -r dim depth heads <<<"$1"
  echo "--set model.patch_size=4 --set model.mlp_ratio=4 --set train.batch_size=128" \
    "--set model.dim=$dim --set model.depth=$depth --set model.heads=$heads"
}

run() { # NAME-OF-RESULT ARGUMENTS
  echo "dyt bench ${*:2}" >&2
  build/dyt bench "${@:2}" --json >"$out/$1.json"
}

# The number of a key; with a pattern, in the object that holds it.
number() { # NAME-OF-RESULT KEY [PATTERN]
  tr '{' '\n' <"$out/$1.json" | grep -- "${3:-}" | sed -n "s/.*\"$2\": \(-\{0,1\}[0-9][-+0-9.e]*\).*/\1/p" | head -n 1
}
percent() { awk -v x="$1" 'BEGIN {printf "%.1f%%", 100 * x}'; }

for size in $sizes; do
  name=${size//\//-}
  for norm in ln dyt; do
    # shellcheck disable=SC2046
    run "step-$name-$norm" step configs/quick/fashion_$norm.json $(keys $size)
  done
  # shellcheck disable=SC2046
  run "step-$name-dyt-1" step configs/quick/fashion_dyt.json $(keys $size) --threads 1 --round-ms 100
  # shellcheck disable=SC2046
  run "infer-$name" infer configs/quick/fashion_dyt.json $(keys $size) --round-ms 200
  # shellcheck disable=SC2046
  run "norms-$name" norms configs/quick/fashion_dyt.json $(keys $size) --round-ms 100
  # shellcheck disable=SC2046
  run "gemm-$name" gemm configs/quick/fashion_dyt.json $(keys $size) --round-ms 15
done
run ops ops --round-ms 5
# shellcheck disable=SC2046
run growth growth configs/quick/fashion_dyt.json $(keys 64/4/4) --round-ms 50 --out $out

summary() {
  printf '\n%s threads, %s, %s\n' "$(number step-64-4-4-ln threads)" "$(sed -n 's/.*"simd": "\([^"]*\)".*/\1/p' $out/ops.json)" \
    "$(sed -n 's/.*"blas": "\([^"]*\)".*/\1/p' $out/ops.json)"
  printf '\n%-10s %-10s %10s %9s %9s %7s %9s\n' "training" "" "images/s" "GFLOP/s" "gemm" "ratio" "peak MB"
  for size in $sizes; do
    for norm in ln dyt; do
      r=step-${size//\//-}-$norm
      printf '%-10s %-10s %10.0f %9.1f %9.1f %7.3f %9.1f\n' "$size" "$([ $norm = ln ] && echo LayerNorm || echo DyT)" \
        "$(number "$r" img_per_s)" "$(number "$r" gflops)" "$(number "$r" gemm_gflops)" "$(number "$r" step_over_gemm)" "$(number "$r" peak_rss_mb)"
    done
  done
  printf '\n%-10s %14s %16s   %s\n' "threads" "1: images/s" "all over 1" "DyT"
  for size in $sizes; do
    one=$(number "step-${size//\//-}-dyt-1" img_per_s) all=$(number "step-${size//\//-}-dyt" img_per_s)
    printf '%-10s %14.0f %16.2f\n' "$size" "$one" "$(awk -v a="$all" -v b="$one" 'BEGIN {print a / b}')"
  done
  printf '\n%-10s %14s %10s %22s\n' "inference" "1 image, ms" "p90" "128 images, images/s"
  for size in $sizes; do
    r=infer-${size//\//-}
    printf '%-10s %14.3f %10.3f %22.0f\n' "$size" "$(number "$r" latency_ms)" "$(number "$r" latency_p90_ms)" "$(number "$r" img_per_s)"
  done
  printf '\n%-10s %12s %12s %12s   %s\n' "norm share" "LayerNorm" "RMSNorm" "DyT" "of a training pass; * inside the noise"
  for size in $sizes; do
    r=norms-${size//\//-}
    printf '%-10s' "$size"
    for kind in layernorm rmsnorm dyt; do
      object="\"mode\": \"training\", \"kind\": \"$kind\","
      printf ' %12s' "$(percent "$(number "$r" layer_share "$object")")$(tr '{' '\n' <$out/"$r".json | grep "$object" | grep -q '"resolved": false' && echo '*')"
    done
    printf '\n'
  done
  printf '\n%-10s %14s %12s %10s %12s %10s   %s\n' "products" "peak GFLOP/s" "library" "of peak" "packed" "of peak" "qkv forward"
  for size in $sizes; do
    r=gemm-${size//\//-} dim=${size%%/*}
    qkv="\"forward\", \"m\": [0-9]*, \"n\": $((3 * dim)), \"k\": $dim,"
    printf '%-10s %14.1f %12.1f %10s %12.1f %10s\n' "$size" "$(number "$r" peak_gflops_all)" \
      "$(number "$r" gflops_all "$qkv")" "$(percent "$(number "$r" share_of_peak_all "$qkv")")" \
      "$(number "$r" packed_gflops_all "$qkv")" "$(percent "$(number "$r" packed_share_of_peak_all "$qkv")")"
  done
  printf '\n%-32s %10s %10s %12s %12s %10s\n' "ns an element, 1 thread" "forward" "backward" "of a copy" "of a copy" "over LN"
  for place in cache memory; do
    for op in norm.layernorm norm.rmsnorm pointwise.tanh activation.gelu; do
      object="\"op\": \"$op\", \"place\": \"$place\", \"threads\": 1,"
      over=$(number ops over_layernorm "$object") # null, so nothing, for what is no norm
      [ -z "$over" ] || over=$(printf '%.2f' "$over")
      printf '%-32s %10.3f %10.3f %12s %12s %10s\n' "$op, $([ $place = cache ] && echo in cache || echo out of cache)" \
        "$(number ops fwd_ns "$object")" "$(number ops bwd_ns "$object")" \
        "$(percent "$(number ops fwd_share_of_copy "$object")")" "$(percent "$(number ops bwd_share_of_copy "$object")")" "${over:--}"
    done
  done
  printf '\n%-10s %10s %10s %10s %12s   %s\n' "slope" "step" "linear" "attention" "activations" "log-log, 1 is linear, 2 quadratic"
  for axis in batch depth tokens width; do
    printf '%-10s' "$axis"
    for key in step linear attention; do printf ' %10.2f' "$(number growth $key "\"axis\": \"$axis\", \"step\"")"; done
    printf ' %12.2f' "$(number growth activations "\"axis\": \"$axis\", \"step\"")"
    printf '\n'
  done
  printf '\nEvery number with its spread: %s/*.json; curves: %s/growth.svg\n' $out $out
}
summary | tee $out/summary.txt
