"""Images per second, memory and start-up of a training step in PyTorch on the CPU, and of dyt beside it on the same config.

    V/bin/python scripts/bench_pytorch.py CONFIG [--set KEY=VALUE]... [--threads N] [--json]
    V/bin/python scripts/bench_pytorch.py CONFIG --alternate build/dyt [--rounds 5] [--seconds 5]

A step is forward, loss, backward, clipping where the config has it, AdamW and zero_grad. PyTorch runs as well as it can: eager
and torch.compile, the faster of which counts in every round; malloc told not to give memory back; fused AdamW; flash attention;
and finished tensors from memory, without any data pipeline, which favours PyTorch, as does its warm-up: dyt has none.

Tried and left out, ratios of images/s to the same variant as it is timed here (64/4/4 DyT, one thread, CPU time of a step, two rounds
on a busy machine, so that 0.85 to 1.15 says nothing): max-autotune 0.85; malloc as installed 1.02 eager, 0.88 compiled; attention by
plain matrix products 0.96 (scaled_dot_product_attention takes the flash kernel); AdamW over tensor lists 1.07; denormals flushed
1.12 and 0.94; oneDNN off 1.06; huge pages for malloc 1.16 and 0.95; four micro-batches 1.06 and 0.93; inductor's C++ wrapper 1.04.
Tried again on a quiet machine, 64/4/4 LN, 2 threads, three rounds: huge pages 1.07 eager and 0.96 compiled, denormals flushed 0.94 and
0.98, where compiled is the faster: neither is used.
Freezing is for inference only; channels_last has nothing to do for images of one channel. bfloat16 is another comparison.

With --alternate, each round times PyTorch eager, PyTorch compiled and `dyt train` one after another, about --seconds each. dyt reads
and augments its data as the config says (synthetic images when the config's data is not there); its rate is img_per_s of
log.jsonl: training images over training-step time, first step and waiting for data included. How rounds are timed and which of
them count: scripts/bench_rounds.py. scripts/bench_suite.py measures the models of docs/speed.md in this way.
"""

import argparse
import json
import statistics

import bench_rounds
import dyt_config


def measure(bench, args):
    """Runs every round and returns the result as it is printed with --json."""
    bench_rounds.check(bench)
    cfg = dyt_config.load(bench.config, bench.sets)
    bench_rounds.say(f"{bench.config}: preparing")
    dyt_steps = bench_rounds.prepare(bench)
    rounds = list(bench_rounds.more_rounds(bench, dyt_steps, [], args.rounds, args.accept_busy, bench.config))
    result = {"config": bench.config, "set": bench.sets, "batch_size": cfg["train"]["batch_size"], "threads": bench.threads,
              "cpu": bench_rounds.cpu(), **bench_rounds.summary(rounds)}
    if bench.dyt:
        result["dyt_data"] = "synthetic, made on demand" if bench_rounds.data_settings(cfg, 1) else "the config's"
    return result


def show(r):
    """The result for people."""
    p = r["pytorch"]
    print(f"{r['config']} {' '.join(r['set'])}: {p['parameters']:,} parameters, batch {r['batch_size']}, "
          f"rounds: {r['quiet_rounds'] or r['rounds_tried']}, {r['threads']} threads")
    if not r["quiet_rounds"]:
        print(f"WORTHLESS: other processes were busy in each of the {r['rounds_tried']} rounds. Repeat on a quiet machine.")
    elif r["rounds_tried"] > r["quiet_rounds"]:
        print(f"{r['rounds_tried'] - r['quiet_rounds']} further rounds were left out: other processes were busy")
    print(f"CPU: {r['cpu']['name']} ({' '.join(r['cpu']['simd'])})")
    print(f"PyTorch {p['torch']} ({p['simd']}, {p['blas']}): malloc tuned, fused AdamW, tensors from memory (no data pipeline)")
    if "dyt" in r:
        print(f"dyt {r['dyt'].get('version', '')} ({r['dyt'].get('simd', '')}, {r['dyt'].get('blas', '')}): data {r['dyt_data']}, "
              "included in its rate")
    print(f"\n{'':18}{'images/s: median':>17}{'min':>9}{'max':>9}{'steps':>8}{'peak MB':>10}{'first step, s':>15}")
    for name, rate in r["img_per_s"].items():
        print(f"{bench_rounds.NAMES[name]:18}{rate['median']:17.0f}{rate['min']:9.0f}{rate['max']:9.0f}"
              f"{statistics.median(r['steps'][name]):8.0f}{r['peak_rss_mb'][name]['median']:10.0f}"
              f"{r['first_step_seconds'][name]['median']:15.2f}")
    if "ratio" in r:
        q = r["ratio"]
        print(f"\ndyt: {q['median']:.2f} times the images/s of the faster PyTorch of each round ({q['min']:.2f} .. {q['max']:.2f}), "
              f"1/{r['rss_ratio']['median']:.1f} of the memory, 1/{r['start_ratio']['median']:.0f} of eager's start-up")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", metavar="CONFIG")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a key of the config")
    parser.add_argument("--alternate", metavar="DYT", help="the dyt program to compare with")
    bench_rounds.add_options(parser, rounds=5, seconds=5)
    parser.add_argument("--steps", type=int, help="steps of every timing, instead of --seconds")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser.parse_args()


def main():
    args = parse_arguments()
    bench = bench_rounds.Bench(args.config, args.set, args.threads, args.seconds, args.steps, args.alternate)
    result = measure(bench, args)
    if args.json:
        print(json.dumps(result))
    else:
        show(result)


if __name__ == "__main__":
    bench_rounds.finish(main)
