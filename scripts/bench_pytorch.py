"""Images per second of a training step in PyTorch on the CPU, and of dyt beside it on the same config.

    V/bin/python scripts/bench_pytorch.py CONFIG [--set KEY=VALUE]... [--threads N] [--json]
    V/bin/python scripts/bench_pytorch.py CONFIG --alternate build/dyt [--rounds 5] [--seconds 5]

A step is forward, loss, backward, clipping where the config has it, AdamW and zero_grad. PyTorch runs as well as it can: eager
and torch.compile, the faster of which counts; malloc told not to give memory back (else page faults take a fifth); fused AdamW;
and finished tensors from memory, without any data pipeline, which favours PyTorch.

With --alternate, each round times PyTorch eager, PyTorch compiled and `dyt train` one after another with the same number of
steps; the ratio is taken round by round. dyt reads and augments its data as the config says (synthetic images when the config's
data is not there) and its rate is img_per_s of log.jsonl: training images over training-step time, waiting for data included.

A busy machine makes every number worthless, PyTorch's most (its barriers wait for the slower thread). So a round in which other
processes took more than 5% of the cores' time does not count and is repeated; what was left out is said in the result.

Every timing is a process of its own: peak memory is its own, and the differences of some 20% that PyTorch shows from process to
process enter the spread. Needs torch; the process that asks imports none.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import dyt_config

HUGE = str(1 << 30)
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": HUGE, "MALLOC_TRIM_THRESHOLD_": HUGE, "MALLOC_TOP_PAD_": str(1 << 28)}
VARIANTS = ("eager", "compile")
SIMD = ("fma", "f16c", "avx", "avx2", "avx512", "avx_vnni", "amx", "asimd", "sve")
BATCHES = 8           # different batches in memory
WARM_UP = 10          # steps
STEPS = (10, 200)     # of a timing, least and most
QUIET = 0.05          # share of the cores' time that other processes may take in a round
PATIENCE = 4          # times as many rounds as asked for are tried


def fill_shapes(cfg):
    """What the config leaves to the data."""
    for key, value in (("image_size", 28), ("channels", 1), ("classes", 10)):
        cfg["model"][key] = cfg["model"][key] or value
    return cfg


# --- the process that runs PyTorch -------------------------------------------------------------------------------------


def make_step(cfg, variant):
    """A function of a step number that trains on one batch, and the model."""
    import torch
    import vit_pytorch as vit
    m, batch = cfg["model"], cfg["train"]["batch_size"]
    torch.manual_seed(0)
    model = vit.VisionTransformer(cfg).train()
    optimizer = vit.adamw(model, cfg, fused=True)
    images = torch.randn(BATCHES, batch, m["channels"], m["image_size"], m["image_size"])
    labels = torch.randint(m["classes"], (BATCHES, batch))

    def forward(x, y):
        return vit.loss(model(x), y, cfg)

    loss_of = torch.compile(forward) if variant == "compile" else forward

    def step(i):
        optimizer.zero_grad(set_to_none=True)
        loss_of(images[i % BATCHES], labels[i % BATCHES]).backward()
        vit.clip_gradients(model, cfg)
        optimizer.step()

    return step, model


def describe(model, threads):
    import torch
    return {"torch": torch.__version__, "simd": torch.backends.cpu.get_cpu_capability(),
            "blas": "mkl" if torch.backends.mkl.is_available() else "not mkl", "threads": threads,
            "parameters": sum(p.numel() for p in model.parameters())}


def seconds_of(step, n):
    """How long n steps take."""
    begun = time.perf_counter()
    for i in range(n):
        step(i)
    return time.perf_counter() - begun


def work(cfg, args):
    """One timing of a variant, printed as JSON; without --steps it lasts about --seconds."""
    import torch
    torch.set_num_threads(args.threads)
    step, model = make_step(cfg, args.worker)
    seconds_of(step, WARM_UP)
    steps = args.steps or min(STEPS[1], max(STEPS[0], round(args.seconds * STEPS[0] / seconds_of(step, STEPS[0]))))
    rate = steps * cfg["train"]["batch_size"] / seconds_of(step, steps)
    print(json.dumps({"img_per_s": rate, "steps": steps, "about": describe(model, args.threads)}))


# --- the process that asks ---------------------------------------------------------------------------------------------


def run(command, env=None):
    """Runs a command to its end: what it printed, CPU seconds and peak memory."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=output, stderr=errors, env=env)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}\n{errors.read()[-4000:]}")
        output.seek(0)
        return output.read(), {"cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_rss_mb": usage.ru_maxrss / 1024}


def settings(texts):
    return [word for text in texts for word in ("--set", text)]


def run_pytorch(args, variant, steps):
    """One timing of a variant in a process of its own; steps None: as many as --seconds allows."""
    command = [sys.executable, os.path.abspath(__file__), args.config, "--threads", str(args.threads), "--worker", variant,
               "--seconds", str(args.seconds), *(["--steps", str(steps)] if steps else []), *settings(args.set)]
    text, usage = run(command, {**os.environ, **ALLOCATOR, "OMP_NUM_THREADS": str(args.threads)})
    return {**json.loads(text), **usage}


def data_settings(cfg, steps):
    """--set arguments for data that is there: the config's own, or else synthetic images enough for one pass."""
    data = cfg["data"]
    if data.get("format", "idx") == "synthetic" or (data.get("path") and os.path.exists(data["path"])):
        return []
    return ["data.format=synthetic", "data.path=null", "data.val_size=0", "data.train_fraction=1", "data.test_size=100",
            f"data.train_size={steps * cfg['train']['batch_size']}"]


def mean_rate(log):
    """Images/s over all lines of a log.jsonl: each holds the rate since the line before."""
    steps, time_units, before = 0, 0.0, 0
    for line in log.splitlines():
        entry = json.loads(line)
        n, before = entry["step"] - before, entry["step"]
        if n:
            steps, time_units = steps + n, time_units + n / entry["img_per_s"]
    return steps / time_units


def run_dyt(args, cfg, steps):
    """One `dyt train` of so many steps."""
    with tempfile.TemporaryDirectory() as folder:
        place = os.path.join(folder, "run")
        sets = settings([*args.set, *data_settings(cfg, steps), f"train.max_steps={steps}"])
        _, usage = run([args.alternate, "train", args.config, "--run-dir", place, "--threads", str(args.threads), *sets])
        with open(os.path.join(place, "log.jsonl"), encoding="utf-8") as log, \
             open(os.path.join(place, "env.json"), encoding="utf-8") as env:
            return {"img_per_s": mean_rate(log.read()), "steps": steps, "about": json.load(env), **usage}


def cpu():
    """Model name and the SIMD flags of this machine's CPU."""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        fields = dict(line.split(":", 1) for line in f.read().split("\n\n")[0].splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    flags = fields.get("flags", fields.get("Features", "")).split()
    return {"name": fields.get("model name", platform.machine()), "simd": [f for f in flags if f.startswith(SIMD)]}


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "rounds": values}


def busy_seconds():
    """CPU time of everything on this machine so far, and what the hypervisor took."""
    with open("/proc/stat", encoding="utf-8") as f:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, f.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def run_round(args, cfg):
    """One timing of each, as {name: answer}, and the share of the cores' time that other processes took meanwhile."""
    begun, busy = time.perf_counter(), busy_seconds()
    answers = {"eager": run_pytorch(args, "eager", args.steps)}
    steps = answers["eager"]["steps"]
    answers["compile"] = run_pytorch(args, "compile", steps)
    if args.alternate:
        answers["dyt"] = run_dyt(args, cfg, steps)
    busy, elapsed = busy_seconds() - busy, time.perf_counter() - begun
    others = busy - sum(answer["cpu_seconds"] for answer in answers.values())
    return answers, max(0.0, others) / (elapsed * os.cpu_count())


def run_rounds(args, cfg):
    """As many quiet rounds as asked for (all rounds when none was quiet), how many were quiet, how many were tried."""
    run_pytorch(args, "compile", STEPS[0])  # fills the compiler's cache
    rounds, quiet = [], []
    while len(quiet) < args.rounds and len(rounds) < PATIENCE * args.rounds:
        answers, others = run_round(args, cfg)
        rounds.append(answers)
        if others <= QUIET:
            quiet.append(answers)
        else:
            print(f"others took {100 * others:.0f}% of the cores' time: this round does not count", file=sys.stderr)
    return quiet or rounds, len(quiet), len(rounds)


def measure(args, cfg):
    """Runs every round and returns the result as it is printed with --json."""
    rounds, quiet, tried = run_rounds(args, cfg)
    rates = {name: spread([answers[name]["img_per_s"] for answers in rounds]) for name in rounds[0]}
    peak = {name: max(answers[name]["peak_rss_mb"] for answers in rounds) for name in rounds[0]}
    counted = max(VARIANTS, key=lambda variant: rates[variant]["median"])
    result = {"config": args.config, "set": args.set, "batch_size": cfg["train"]["batch_size"], "threads": args.threads,
              "steps": [answers["eager"]["steps"] for answers in rounds], "quiet_rounds": quiet, "rounds_tried": tried,
              "cpu": cpu(), "pytorch": rounds[0]["eager"]["about"], "counted": counted, "img_per_s": rates, "peak_rss_mb": peak}
    if args.alternate:
        ratios = [ours / theirs for ours, theirs in zip(rates["dyt"]["rounds"], rates[counted]["rounds"])]
        result |= {"dyt": rounds[0]["dyt"]["about"], "ratio": spread(ratios), "rss_ratio": peak[counted] / peak["dyt"],
                   "dyt_data": "synthetic, made on demand" if data_settings(cfg, 1) else "the config's"}
    return result


def show(r):
    """The result for people."""
    p = r["pytorch"]
    print(f"{r['config']} {' '.join(r['set'])}: {p['parameters']:,} parameters, batch {r['batch_size']}, "
          f"{len(r['steps'])} rounds of about {statistics.median(r['steps']):.0f} steps, {r['threads']} threads")
    if not r["quiet_rounds"]:
        print(f"WORTHLESS: other processes were busy in each of the {r['rounds_tried']} rounds. Repeat on a quiet machine.")
    elif r["rounds_tried"] > r["quiet_rounds"]:
        print(f"{r['rounds_tried'] - r['quiet_rounds']} further rounds were left out: other processes were busy")
    print(f"CPU: {r['cpu']['name']} ({' '.join(r['cpu']['simd'])})")
    print(f"PyTorch {p['torch']} ({p['simd']}, {p['blas']}): malloc tuned, fused AdamW, tensors from memory (no data pipeline)")
    if "dyt" in r:
        print(f"dyt {r['dyt'].get('version', '')} ({r['dyt'].get('simd', '')}): data {r['dyt_data']}, included in its rate")
    print(f"\n{'':18}{'images/s: median':>17}{'min':>9}{'max':>9}{'peak MB':>10}")
    for name, rate in r["img_per_s"].items():
        label = name if name == "dyt" else f"PyTorch {name}"
        print(f"{label:18}{rate['median']:17.0f}{rate['min']:9.0f}{rate['max']:9.0f}{r['peak_rss_mb'][name]:10.0f}"
              f"{'   counted' if name == r['counted'] else ''}")
    if "ratio" in r:
        q = r["ratio"]
        print(f"\ndyt / PyTorch {r['counted']}: {q['median']:.2f} times the images/s ({q['min']:.2f} .. {q['max']:.2f}), "
              f"1/{r['rss_ratio']:.1f} of the memory")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", metavar="CONFIG")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a key of the config")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: the cores this process may use")
    parser.add_argument("--alternate", metavar="DYT", help="the dyt program to compare with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="about how long a PyTorch timing takes (%(default)s)")
    parser.add_argument("--steps", type=int, help=f"steps of a timing (from --seconds, {STEPS[0]} to {STEPS[1]})")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--worker", choices=VARIANTS, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    args = parse_arguments()
    cfg = fill_shapes(dyt_config.load(args.config, args.set))
    if args.worker:
        return work(cfg, args)
    result = measure(args, cfg)
    if args.json:
        print(json.dumps(result))
    else:
        show(result)
    return None


if __name__ == "__main__":
    main()
