"""dyt against PyTorch on the models of docs/speed.md: images/s, peak memory and start-up, as that page's tables.

    V/bin/python scripts/bench_suite.py build/dyt --out build/against_pytorch.json
    V/bin/python scripts/bench_suite.py build/dyt --out build/against_pytorch.json --only 64/4/4 --rounds 1 --seconds 1 --accept-busy

Three sizes with LayerNorm against LayerNorm and DyT against DyT, and the quick DyT config, each in rounds of PyTorch eager, PyTorch
compiled and dyt. Neither side needs a data set: PyTorch's images are finished tensors in memory, dyt makes synthetic ones within
its measured time. What is timed and what favours whom: docs/speed.md; how, and which rounds count: scripts/bench_rounds.py.
For a config with its own data: scripts/bench_pytorch.py.

Each round is written to --out when it is finished, so nothing of an interrupted suite is lost: the same command goes on where it
stopped, and once the rounds are complete it only prints the tables (Markdown, on stdout; progress is on stderr). About 20 minutes
on 2 cores.
"""

import argparse
import hashlib
import importlib.metadata
import json
import os
import shutil

import bench_rounds

SIZES = ("192/6/3", "128/6/4", "64/4/4")
CONFIGS = {"LayerNorm": "fashion_ln", "DyT": "fashion_dyt"}
SYNTHETIC = ["data.format=synthetic", "data.path=null"]
FOLDER = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "configs", "quick"))


def sized(size):
    """--set texts of a dim/depth/heads."""
    dim, depth, heads = size.split("/")
    return [f"model.dim={dim}", f"model.depth={depth}", f"model.heads={heads}", "model.patch_size=4", "model.mlp_ratio=4"]


# (size, norm): --set texts
MODELS = {**{(size, norm): sized(size) for size in SIZES for norm in CONFIGS}, ("quick config", "DyT"): []}


def bench_of(model, args):
    """What is timed for a model."""
    config = os.path.relpath(os.path.join(FOLDER, CONFIGS[model[1]] + ".json"))
    return bench_rounds.Bench(config, [*MODELS[model], *SYNTHETIC], args.threads, args.seconds, dyt=args.dyt)


# --- the file ----------------------------------------------------------------------------------------------------------


def setting_of(args):
    """What must be the same for rounds to stand in one table."""
    with open(shutil.which(args.dyt), "rb") as program:
        digest = hashlib.sha256(program.read()).hexdigest()
    return {"threads": args.threads, "seconds": args.seconds, "torch": importlib.metadata.version("torch"),
            "cpu": bench_rounds.cpu(), "dyt_sha256": digest}


def load(args):
    """The record of --out, {"setting": ..., "rounds": {"SIZE NORM": [...]}}, empty at first."""
    setting = setting_of(args)
    if not os.path.exists(args.out):
        return {"setting": setting, "rounds": {}}
    try:
        with open(args.out, encoding="utf-8") as f:
            record = json.load(f)
        differing = [key for key in setting if record["setting"].get(key) != setting[key]]
        record["rounds"].values()
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise SystemExit(f"{args.out} is not a record of this script: name another --out") from None
    if differing:
        raise SystemExit(f"{args.out} was measured with another {' and '.join(differing)}: name another --out")
    return record


def save(record, path):
    """Writes the whole record; an interruption leaves the file before."""
    try:
        with open(path + ".new", "w", encoding="utf-8") as f:
            json.dump(record, f, indent=1)
        os.replace(path + ".new", path)
    except OSError as reason:
        raise SystemExit(f"{path}: {reason.strerror}") from None


# --- tables ------------------------------------------------------------------------------------------------------------


def times(q, digits):
    """A ratio with its range."""
    return f"**{q['median']:.{digits}f}** ({q['min']:.{digits}f} to {q['max']:.{digits}f})"


def table(head, rows):
    """Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def medians(q, digits):
    """The medians of a {name: spread} in the order of the columns."""
    return [f"{q[name]['median']:.{digits}f}" for name in bench_rounds.NAMES]


def tables(record):
    """What docs/speed.md holds, of the models that have rounds."""
    results = {model: bench_rounds.summary(rounds) for model in MODELS if (rounds := record["rounds"].get(" ".join(model)))}
    some, s = next(iter(results.values())), record["setting"]
    worthless = [" ".join(model) for model, r in results.items() if not r["quiet_rounds"]]
    speed = [[*model, *medians(r["img_per_s"], 0), times(r["ratio"], 2), str(r["quiet_rounds"])] for model, r in results.items()]
    other = [[*model, *medians(r["peak_rss_mb"], 0), times(r["rss_ratio"], 1), *medians(r["first_step_seconds"], 3)[::2],
              times(r["start_ratio"], 0)] for model, r in results.items()]
    names = list(bench_rounds.NAMES.values())
    return "\n\n".join([
        *([f"WORTHLESS, because other processes were busy in every round: {', '.join(worthless)}"] if worthless else []),
        f"{s['cpu']['name']}, {s['threads']} threads; PyTorch {some['pytorch']['torch']} ({some['pytorch']['simd']}, "
        f"{some['pytorch']['blas']}); dyt {some['dyt']['version']} ({some['dyt']['simd']}, {some['dyt']['blas']}).",
        "Images/s, medians (dyt makes synthetic images within its time, PyTorch's are finished in memory); the ratio is dyt's over the "
        "faster PyTorch's of the same round, median and range:",
        table(["dim/depth/heads", "norm", *names, "ratio", "quiet rounds"], speed),
        "Peak memory in MB, and seconds from the start of the process to the end of its first step, medians:",
        table(["dim/depth/heads", "norm", *(f"{name}, MB" for name in names), "smaller PyTorch / dyt", "PyTorch eager, s", "dyt, s",
               "PyTorch eager / dyt"], other)])


# --- the suite ---------------------------------------------------------------------------------------------------------


def measure(model, args, record):
    """The rounds that a model still lacks."""
    name, bench = " ".join(model), bench_of(model, args)
    done = record["rounds"].setdefault(name, [])
    if sum(args.accept_busy or bench_rounds.is_quiet(r) for r in done) >= args.rounds:
        return
    bench_rounds.say(f"{name}: preparing")
    for r in bench_rounds.more_rounds(bench, bench_rounds.prepare(bench), list(done), args.rounds, args.accept_busy, name):
        done.append(r)
        save(record, args.out)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dyt", metavar="DYT", help="the dyt program")
    parser.add_argument("--out", required=True, metavar="FILE", help="the record, JSON; goes on with one that is there")
    parser.add_argument("--only", default="", metavar="TEXT", help="the models whose name holds this, as \"192/6/3 DyT\" or \"quick\"")
    bench_rounds.add_options(parser, rounds=5, seconds=5)
    args = parser.parse_args()
    args.models = [model for model in MODELS if args.only in " ".join(model)]
    if not args.models:
        parser.error(f"--only {args.only}: no such model (known: {', '.join(' '.join(model) for model in MODELS)})")
    return args


def main():
    args = parse_arguments()
    bench_rounds.check(bench_of(args.models[0], args))
    record = load(args)
    save(record, args.out)  # a place that cannot be written is known now
    try:
        for model in args.models:
            measure(model, args, record)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"{args.out} keeps the finished rounds, and the same command goes on") from None
    print(tables(record))


if __name__ == "__main__":
    bench_rounds.finish(main)
