"""Rounds of timings, PyTorch eager, PyTorch compiled and dyt one after another: what bench_pytorch.py and bench_suite.py share.

    bench = Bench("configs/quick/fashion_dyt.json", ["model.dim=128"], threads=2, seconds=5, dyt="build/dyt")
    check(bench)                                     # one sentence and the end if something is missing or wrong
    prepared = prepare(bench)                        # fills the compiler's cache, finds dyt's number of steps
    for r in more_rounds(bench, prepared, [], 5, False, "quick"):
        ...                                          # until 5 of them were quiet
    summary(rounds)["ratio"]["median"]               # dyt's images/s over those of the faster PyTorch of the same round

Every timing is a process of its own: its peak memory is its own, and the differences of some 20% that PyTorch shows from process to
process enter the spread. A busy machine makes every number worthless, PyTorch's most (its barriers wait for the slower thread). So
a round in which other processes took more than 5% of the cores' time does not count and is repeated.

The start-up is taken from outside, in the same way for both: the seconds from starting the process to reading its line
`first step: ...` on stderr. Python and torch are in the page cache by then, and so is dyt. The peak memory is the kernel's ru_maxrss
of the process, which never shows less than the process that started it had: 22 MB, so a smaller dyt looks larger than it is.

A round is {"others": share of the cores' time, "timings": {"eager" | "compile" | "dyt": {"img_per_s", "steps", "about",
"first_step_seconds", "peak_rss_mb", "cpu_seconds"}}}. Needs nothing but Python, except in the processes that it starts.
"""

import dataclasses
import importlib.util
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import dyt_config

HUGE = str(1 << 30)
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": HUGE, "MALLOC_TRIM_THRESHOLD_": HUGE, "MALLOC_TOP_PAD_": str(1 << 28)}
VARIANTS = ("eager", "compile")
NAMES = {"eager": "PyTorch eager", "compile": "PyTorch compile", "dyt": "dyt"}
WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench_worker.py")
SIMD = ("fma", "f16c", "avx", "avx2", "avx512", "avx_vnni", "amx", "asimd", "sve")
FIRST_STEP = "first step:"
PREPARING = 3         # steps of the runs before the first round
STEPS = (3, 1000)     # of a timing of dyt, least and most
QUIET = 0.05          # share of the cores' time that other processes may take in a round
PATIENCE = 4          # times as many rounds as asked for are tried


@dataclasses.dataclass(frozen=True)
class Bench:
    """What is timed: a config with --set texts, in PyTorch and, unless it is None, in a dyt program."""
    config: str
    sets: list
    threads: int
    seconds: float
    steps: int | None = None    # instead of seconds
    dyt: str | None = None


def say(text, end="\n"):
    """Progress, on stderr."""
    print(text, end=end, file=sys.stderr, flush=True)


# --- a process ---------------------------------------------------------------------------------------------------------


def listen(process, begun):
    """Reads a process's stderr to its end: the last lines, and when the line of the first step came."""
    lines, first = [], None
    for line in process.stderr:
        if first is None and FIRST_STEP in line:
            first = time.perf_counter() - begun
        lines = [*lines[-40:], line]
    return "".join(lines), first


def run(command, env=None):
    """Runs a command to its end: what it printed, and CPU seconds, peak memory and seconds to its first step."""
    with tempfile.TemporaryFile("w+") as output:
        begun = time.perf_counter()
        with subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE, text=True, env=env) as process:
            try:
                errors, first = listen(process, begun)
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}\n{errors}".rstrip())
        output.seek(0)
        return output.read(), {"first_step_seconds": first, "cpu_seconds": usage.ru_utime + usage.ru_stime,
                               "peak_rss_mb": usage.ru_maxrss / 1024}


def timing(command, usage, **fields):
    """A timing of a round; refuses a process that did not report its first step."""
    if usage["first_step_seconds"] is None:
        raise SystemExit(f"{command[0]} never printed a line `{FIRST_STEP} ...` on stderr, so its start-up is not known: is it up to date?")
    return {**fields, **usage}


def settings(texts):
    """--set arguments."""
    return [word for text in texts for word in ("--set", text)]


def run_pytorch(bench, variant, steps):
    """One timing of a variant; steps None: as many as bench.seconds allows."""
    command = [sys.executable, WORKER, bench.config, variant, "--threads", str(bench.threads), "--seconds", str(bench.seconds),
               *(["--steps", str(steps)] if steps else []), *settings(bench.sets)]
    text, usage = run(command, {**os.environ, **ALLOCATOR, "OMP_NUM_THREADS": str(bench.threads)})
    return timing(command, usage, **json.loads(text))


def data_settings(cfg, steps):
    """--set texts for data that is there: the config's own, or else synthetic images enough for one pass."""
    data = cfg["data"]
    if data.get("path") and os.path.exists(data["path"]):
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


def run_dyt(bench, steps):
    """One `dyt train` of so many steps."""
    cfg = dyt_config.load(bench.config, bench.sets)
    with tempfile.TemporaryDirectory() as folder:
        place = os.path.join(folder, "run")
        sets = [*bench.sets, *data_settings(cfg, steps), f"train.max_steps={steps}"]
        command = [bench.dyt, "train", bench.config, "--run-dir", place, "--threads", str(bench.threads), *settings(sets)]
        _, usage = run(command)
        with open(os.path.join(place, "log.jsonl"), encoding="utf-8") as log, \
             open(os.path.join(place, "env.json"), encoding="utf-8") as env:
            return timing(command, usage, img_per_s=mean_rate(log.read()), steps=steps, about=json.load(env))


# --- rounds ------------------------------------------------------------------------------------------------------------


def check(bench):
    """Ends with one sentence when torch, the program or a key is missing."""
    if not importlib.util.find_spec("torch"):
        raise SystemExit(f"{sys.executable} has no torch: pip install torch==2.13.0, in a virtual environment")
    dyt_config.load(bench.config, bench.sets)
    if bench.dyt is None:
        return
    if not shutil.which(bench.dyt):
        raise SystemExit(f"{bench.dyt}: no such program (`make build` makes build/dyt)")
    checked = subprocess.run([bench.dyt, "config", "check", bench.config, *settings(bench.sets)], check=False, text=True,
                             capture_output=True)
    if checked.returncode:
        raise SystemExit((checked.stderr or checked.stdout).rstrip())


def prepare(bench):
    """Short runs that fill the caches, torch.compile's above all. Returns how many steps dyt's timings take."""
    steps = bench.steps
    if bench.dyt and not steps:
        batch = dyt_config.load(bench.config, bench.sets)["train"]["batch_size"]
        steps = min(STEPS[1], max(STEPS[0], round(bench.seconds * run_dyt(bench, PREPARING)["img_per_s"] / batch)))
    run_pytorch(bench, "compile", PREPARING)
    return steps


def busy_seconds():
    """CPU time of everything on this machine so far, and what the hypervisor took."""
    with open("/proc/stat", encoding="utf-8") as f:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, f.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def run_round(bench, dyt_steps):
    """One timing of each, and the share of the cores' time that other processes took meanwhile."""
    begun, busy, timings = time.perf_counter(), busy_seconds(), {}
    for name in NAMES if bench.dyt else VARIANTS:
        say(f" {NAMES[name]}", end=" ")
        timings[name] = run_dyt(bench, dyt_steps) if name == "dyt" else run_pytorch(bench, name, bench.steps)
        say(f"{timings[name]['img_per_s']:.0f}/s,", end="")
    busy, elapsed = busy_seconds() - busy, time.perf_counter() - begun
    others = busy - sum(t["cpu_seconds"] for t in timings.values())
    return {"others": max(0.0, others) / (elapsed * os.cpu_count()), "timings": timings}


def is_quiet(r):
    """Does a round count?"""
    return r["others"] <= QUIET


def more_rounds(bench, dyt_steps, done, wanted, accept_busy, title):
    """Yields rounds as they are finished, until with those of `done` there are as many as wanted or patience ends."""
    counted = sum(accept_busy or is_quiet(r) for r in done)
    for _ in range(PATIENCE * wanted):
        if counted >= wanted:
            return
        say(f"{title}, round {counted + 1} of {wanted}:", end="")
        r = run_round(bench, dyt_steps)
        verdict = "" if is_quiet(r) else ": busy, accepted" if accept_busy else ": busy, does not count"
        say(f" others {100 * r['others']:.0f}% of the cores{verdict}")
        counted += accept_busy or is_quiet(r)
        yield r


# --- results -----------------------------------------------------------------------------------------------------------


def spread(values):
    """Median and range."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "rounds": values}


def summary(rounds):
    """Images/s, memory and start-up of the quiet rounds (of all when none was quiet). dyt is compared with the better PyTorch: with
    the faster of the same round, with the smaller in memory, with eager in start-up."""
    quiet = [r["timings"] for r in rounds if is_quiet(r)]
    used = quiet or [r["timings"] for r in rounds]

    def all_of(field):
        return {name: spread([timings[name][field] for timings in used]) for name in used[0]}

    rates, peak, first = all_of("img_per_s"), all_of("peak_rss_mb"), all_of("first_step_seconds")
    result = {"quiet_rounds": len(quiet), "rounds_tried": len(rounds), "img_per_s": rates, "peak_rss_mb": peak,
              "first_step_seconds": first, "steps": {name: [t[name]["steps"] for t in used] for name in used[0]},
              "faster": max(VARIANTS, key=lambda variant: rates[variant]["median"]), "pytorch": used[0]["eager"]["about"]}
    if "dyt" in used[0]:
        result |= {"dyt": used[0]["dyt"]["about"],
                   "ratio": spread([t["dyt"]["img_per_s"] / max(t[v]["img_per_s"] for v in VARIANTS) for t in used]),
                   "rss_ratio": spread([min(t[v]["peak_rss_mb"] for v in VARIANTS) / t["dyt"]["peak_rss_mb"] for t in used]),
                   "start_ratio": spread([t["eager"]["first_step_seconds"] / t["dyt"]["first_step_seconds"] for t in used])}
    return result


def cpu():
    """Model name and the SIMD flags of this machine's CPU."""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        fields = dict(line.split(":", 1) for line in f.read().split("\n\n")[0].splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    flags = fields.get("flags", fields.get("Features", "")).split()
    return {"name": fields.get("model name", platform.machine()), "simd": [f for f in flags if f.startswith(SIMD)]}


# --- command lines -----------------------------------------------------------------------------------------------------


def add_options(parser, rounds, seconds):
    """The options that both scripts have."""
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: the cores this process may use")
    parser.add_argument("--rounds", type=int, default=rounds, help="quiet rounds wanted (%(default)s)")
    parser.add_argument("--seconds", type=float, default=seconds, help="about how long a timing takes (%(default)s)")
    parser.add_argument("--accept-busy", action="store_true", help="do not repeat a round because the machine was busy; for trying "
                        "the script out: without a quiet round the result is WORTHLESS and says so")


def finish(main):
    """Runs a script's main: a sentence and exit code 2 for what is wrong, 130 for Ctrl-C."""
    try:
        main()
    except KeyboardInterrupt as end:
        say(": ".join(["\ninterrupted", *end.args]))
        sys.exit(130)
    except SystemExit as end:
        if not isinstance(end.code, str):
            raise
        say(end.code)
        sys.exit(2)
