"""Images per second of a training step in PyTorch on the CPU, and of dyt beside it on the same config.

    V/bin/python scripts/bench_pytorch.py CONFIG [--set KEY=VALUE]... [--threads N] [--json]
    V/bin/python scripts/bench_pytorch.py CONFIG --alternate build/dyt [--rounds 5] [--seconds 5]

A step is forward, loss, backward, clipping where the config has it, AdamW and zero_grad. PyTorch runs as well as it can: eager
and torch.compile, the faster of which counts; malloc told not to give memory back (else page faults take a fifth); fused AdamW;
and finished tensors from memory, without any data pipeline, which favours PyTorch.

With --alternate, each round times PyTorch eager, PyTorch compiled and `dyt train` one after another with the same number of
steps; the ratio is taken round by round. dyt reads and augments its data as the config says (synthetic images when the
config's data is not there) and its rate is img_per_s of log.jsonl: training images over training-step time, waiting for data included.

A busy machine makes every number worthless, PyTorch's most (its barriers wait for the slower thread). So a round in which other
processes took more than 5% of the cores' time does not count and is repeated; what was left out is said in the result.

Each PyTorch variant is a process of its own, so that its peak memory is its own. Needs torch; this process imports none.
"""

import argparse
import json
import os
import platform
import resource
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
TRIALS = 10           # to find out how many steps a timing has
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


def work(cfg, variant, threads):
    """Answers each number of steps on stdin by a line {"seconds", "cpu_seconds", "peak_rss_mb"}."""
    import torch
    torch.set_num_threads(threads)
    step, model = make_step(cfg, variant)
    for i in range(WARM_UP):
        step(i)
    print(json.dumps(describe(model, threads)), flush=True)
    for line in sys.stdin:
        begun, cpu_begun = time.perf_counter(), time.process_time()
        for i in range(int(line)):
            step(i)
        print(json.dumps({"seconds": time.perf_counter() - begun, "cpu_seconds": time.process_time() - cpu_begun,
                          "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)


# --- the process that asks ---------------------------------------------------------------------------------------------


class Worker:
    """A PyTorch process of one variant."""

    def __init__(self, args, variant):
        command = [sys.executable, os.path.abspath(__file__), args.config, "--threads", str(args.threads), "--worker", variant]
        for text in args.set:
            command += ["--set", text]
        env = {**os.environ, **ALLOCATOR, "OMP_NUM_THREADS": str(args.threads)}
        self.variant = variant
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        self.about = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"PyTorch ({self.variant}) ended with code {self.process.wait()}; its message stands above")
        return json.loads(line)

    def time(self, steps):
        """What a number of steps takes (work())."""
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


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
    """One `dyt train` of so many steps: images/s, CPU seconds, peak memory, env.json."""
    with tempfile.TemporaryDirectory() as folder:
        run = os.path.join(folder, "run")
        command = [args.alternate, "train", args.config, "--run-dir", run, "--threads", str(args.threads)]
        for text in [*args.set, *data_settings(cfg, steps), f"train.max_steps={steps}"]:
            command += ["--set", text]
        with open(os.path.join(folder, "output"), "w+", encoding="utf-8") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                output.seek(0)
                raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}\n{output.read()[-2000:]}")
        with open(os.path.join(run, "log.jsonl"), encoding="utf-8") as f:
            rate = mean_rate(f.read())
        with open(os.path.join(run, "env.json"), encoding="utf-8") as f:
            return {"img_per_s": rate, "cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_rss_mb": usage.ru_maxrss / 1024,
                    "about": json.load(f)}


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


def with_others(run):
    """Answers {name: answer} of a function, and the share of the cores' time that other processes took meanwhile."""
    begun, busy = time.perf_counter(), busy_seconds()
    answers = run()
    busy, elapsed = busy_seconds() - busy, time.perf_counter() - begun
    others = busy - sum(answer["cpu_seconds"] for answer in answers.values())
    return answers, max(0.0, others) / (elapsed * os.cpu_count())


def choose_steps(args, worker):
    """Steps of a timing of args.seconds, from the first quiet trial or the fastest."""
    pace = []
    for _ in range(TRIALS):
        answers, others = with_others(lambda: {worker.variant: worker.time(STEPS[0])})
        pace.append(answers[worker.variant]["seconds"] / STEPS[0])
        if others <= QUIET:
            break
        time.sleep(1)
    return min(STEPS[1], max(STEPS[0], round(args.seconds / min(pace))))


def run_round(args, cfg, workers, steps):
    """One timing of each, as {name: answer}."""
    answers = {worker.variant: worker.time(steps) for worker in workers}
    for answer in answers.values():
        answer["img_per_s"] = steps * cfg["train"]["batch_size"] / answer["seconds"]
    if args.alternate:
        answers["dyt"] = run_dyt(args, cfg, steps)
    return answers


def run_rounds(args, cfg, workers, steps):
    """As many quiet rounds as asked for, or all there were when the machine never got quiet; how many were not quiet."""
    rounds = []
    for _ in range(PATIENCE * args.rounds):
        answers, others = with_others(lambda: run_round(args, cfg, workers, steps))
        rounds.append((answers, others))
        if others > QUIET:
            print(f"others took {100 * others:.0f}% of the cores' time: this round does not count", file=sys.stderr)
        if sum(share <= QUIET for _, share in rounds) == args.rounds:
            break
    quiet = [answers for answers, share in rounds if share <= QUIET]
    return quiet or [answers for answers, _ in rounds], len(quiet), len(rounds)


def measure(args, cfg):
    """Runs every round and returns the result as it is printed with --json."""
    workers = [Worker(args, variant) for variant in VARIANTS]
    steps = args.steps or choose_steps(args, workers[0])
    rounds, quiet, tried = run_rounds(args, cfg, workers, steps)
    for worker in workers:
        worker.close()
    rates = {name: spread([answers[name]["img_per_s"] for answers in rounds]) for name in rounds[0]}
    peak = {name: max(answers[name]["peak_rss_mb"] for answers in rounds) for name in rounds[0]}
    counted = max(VARIANTS, key=lambda variant: rates[variant]["median"])
    result = {"config": args.config, "set": args.set, "batch_size": cfg["train"]["batch_size"], "steps": steps,
              "threads": args.threads, "quiet_rounds": quiet, "rounds_tried": tried, "cpu": cpu(),
              "pytorch": workers[0].about, "counted": counted, "img_per_s": rates, "peak_rss_mb": peak}
    if args.alternate:
        ratios = [ours / theirs for ours, theirs in zip(rates["dyt"]["rounds"], rates[counted]["rounds"])]
        result |= {"dyt": rounds[0]["dyt"]["about"], "ratio": spread(ratios), "rss_ratio": peak[counted] / peak["dyt"],
                   "dyt_data": "synthetic, made on demand" if data_settings(cfg, steps) else "the config's"}
    return result


def show(r):
    """The result for people."""
    p = r["pytorch"]
    print(f"{r['config']} {' '.join(r['set'])}: {p['parameters']:,} parameters, batch {r['batch_size']}, {r['steps']} steps a timing, "
          f"{len(r['img_per_s']['eager']['rounds'])} rounds, {r['threads']} threads")
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
        return work(cfg, args.worker, args.threads)
    result = measure(args, cfg)
    if args.json:
        print(json.dumps(result))
    else:
        show(result)
    return None


if __name__ == "__main__":
    main()
