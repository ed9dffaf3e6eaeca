"""One timing of a training step in PyTorch on the CPU: the process that bench_pytorch.py and bench_suite.py start again and again.

    V/bin/python scripts/bench_worker.py CONFIG eager|compile --threads 2 --seconds 5 [--set KEY=VALUE]...

It says `first step:` on stderr when its first step is done, warms up, then times about so many seconds of steps, or exactly
--steps, and prints one JSON object. A step is forward, loss, backward, clipping where the config has it, AdamW and zero_grad; its
images and labels are finished tensors in memory. Needs torch.
"""

import argparse
import json
import sys
import time

import torch

import dyt_config
import vit_pytorch as vit

VARIANTS = ("eager", "compile")
BATCHES = 8             # different batches in memory
WARM_UP = (3, 1.0)      # steps and seconds after the first step, both at least
STEPS = (3, 1000)       # of a timing, least and most


def fill_shapes(cfg):
    """What the config leaves to the data."""
    for key, value in (("image_size", 28), ("channels", 1), ("classes", 10)):
        cfg["model"][key] = cfg["model"][key] or value
    return cfg


def make_step(cfg, variant):
    """A function of a step number that trains on one batch, and the model."""
    m, batch = cfg["model"], cfg["train"]["batch_size"]
    torch.manual_seed(0)
    model = vit.VisionTransformer(cfg).train()
    optimizer = vit.optimizer(model, cfg, fused=True)
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
    """What the numbers depend on."""
    return {"torch": torch.__version__, "simd": torch.backends.cpu.get_cpu_capability(),
            "blas": "mkl" if torch.backends.mkl.is_available() else "not mkl", "threads": threads,
            "parameters": sum(p.numel() for p in model.parameters())}


def seconds_of(step, n):
    """How long n steps take."""
    begun = time.perf_counter()
    for i in range(n):
        step(i)
    return time.perf_counter() - begun


def warm_up(step):
    """The first step, reported, and more until everything is warm. Seconds that a step then takes."""
    step(0)
    print("first step: done", file=sys.stderr, flush=True)
    taken = []
    while len(taken) < WARM_UP[0] or sum(taken) < WARM_UP[1]:
        taken.append(seconds_of(step, 1))
    return min(taken)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", metavar="CONFIG")
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a key of the config")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=5, help="about how long the timing takes (%(default)s)")
    parser.add_argument("--steps", type=int, help=f"steps of the timing (from --seconds, {STEPS[0]} to {STEPS[1]})")
    return parser.parse_args()


def main():
    args = parse_arguments()
    cfg = fill_shapes(dyt_config.load(args.config, args.set))
    torch.set_num_threads(args.threads)
    step, model = make_step(cfg, args.variant)
    a_step = warm_up(step)
    steps = args.steps or min(STEPS[1], max(STEPS[0], round(args.seconds / a_step)))
    rate = steps * cfg["train"]["batch_size"] / seconds_of(step, steps)
    print(json.dumps({"img_per_s": rate, "steps": steps, "about": describe(model, args.threads)}))


if __name__ == "__main__":
    main()
