"""Writes the reference files that `dyt replay` is tested against: small models computed by PyTorch in float64.

    python3 -m venv V && V/bin/pip install torch==2.13.0 numpy safetensors
    V/bin/python scripts/write_reference.py [--out tests/reference] [CASE...]

For each case
    CASE.json                   the config
    CASE.weights.safetensors    parameters, F32 (so that a float and a double program read the same numbers)
    CASE.batch.safetensors      images F32 [N, C, H, W], labels I64 [N] or targets F32 [N, K]
    CASE.expect.safetensors     F64: loss [STEPS] before each step, logits [N, K], grad.NAME of the first backward (before
                                clipping), NAME after the last step
    CASE.tol.json               what PyTorch's own float32 loses on the case: the largest error over some orders of the samples.
                                loss, logits, param.NAME: absolute; grad.NAME: relative to the tensor's largest gradient.
                                "float": false: float32 is not to be compared (slopes that are infinite at 0)

Weights are moved away from their initial values, so that no gamma of 1, zero bias or tiny branch hides a mistake. Before
anything is written, gradients are checked against finite differences. Weights and samples are drawn again if these disagree (a
kink or an infinite slope is too near), if a gradient vanishes, if a function does not see both sides of its bend, or if float32
falls on the other side of a kink.
"""

import argparse
import copy
import json
import os
import zlib

import torch
from safetensors.torch import save_file

import dyt_config
import vit_pytorch as vit

STEPS = 10
SMALL = {"image_size": 8, "channels": 1, "patch_size": 4, "dim": 12, "depth": 2, "heads": 3, "mlp_ratio": 2.0, "classes": 5}
# Not AdamW's 1e-8: the gradient of a key's bias is zero but for rounding, and over 1e-8 float32's noise would be a step.
ADAMW = {"eps": 1e-6}
ORDERS = 8         # orders of the samples that float32 is run in
DRAWS = 20         # attempts to draw a case that is worth something
BLIND = 1e-5       # a tensor whose largest gradient is below this tests nothing
KINKED = 2e-3      # a float32 gradient error beyond this means a kink between float32 and float64
INFINITE_SLOPE = ("exproot", "power23clip")


class Unfit(Exception):
    """What was drawn tests too little."""


def three(attn, ffn, final, **common):
    """A norm with another function at each site; the alpha takes numbers to where the functions bend."""
    return {"kind": "dyt", "alpha0": 1.2, **common, "attn": {"fn": attn}, "ffn": {"fn": ffn}, "final": {"fn": final}}


# name: what it is for, model keys over SMALL, optim keys, train keys
CASES = {
    "layernorm": ("LayerNorm at every site, three channels",
                  {"channels": 3, "norm": {"kind": "layernorm"}}, {}, {}),
    "layernorm_eps": ("LayerNorm without affine part and with a large eps, class token, selu, other AdamW constants",
                      {"pool": "token", "act": "selu", "norm": {"kind": "layernorm", "affine": False, "eps": 0.05}},
                      {"betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.3, "lr": 3e-3}, {}),
    "rmsnorm": ("RMSNorm at every site; image size, channels and classes are left to the files",
                {"image_size": None, "channels": None, "classes": None, "act": "gelu_tanh",
                 "norm": {"kind": "rmsnorm", "eps": 1e-3}}, {}, {}),
    "dyt": ("Dynamic Tanh as in the paper", {"norm": {"kind": "dyt"}}, {}, {}),
    "dyt_token": ("Dynamic Tanh before the class token is taken",
                  {"image_size": 12, "pool": "token", "dim": 16, "heads": 2, "norm": {"kind": "dyt", "alpha0": 0.8}}, {}, {}),
    "erf_shift": ("Derf: erf with a learnable shift", {"classes": 7, "norm": {"kind": "dyt", "fn": "erf", "shift": True}}, {}, {}),
    "hardtanh": ("hardtanh and relu, patches of 3 pixels",
                 {"image_size": 9, "patch_size": 3, "act": "relu", "norm": {"kind": "dyt", "fn": "hardtanh"}}, {}, {}),
    "sigmoid": ("sigmoid and silu", {"act": "silu", "norm": {"kind": "dyt", "fn": "sigmoid"}}, {}, {}),
    "mixed_sites": ("another kind at each site",
                    {"norm": {"kind": "dyt", "fn": "arctan", "attn": {"kind": "layernorm"}, "final": {"kind": "rmsnorm"}}}, {}, {}),
    "none_sites": ("no norm before the attention and none before the head",
                   {"norm": {"kind": "none", "ffn": {"kind": "dyt"}}}, {}, {}),
    "soft_targets": ("soft targets with label smoothing, and clipping that bites", {"classes": 3, "norm": {"kind": "layernorm"}},
                     {"clip_norm": 0.5}, {"label_smoothing": 0.1}),
    "alpha_channel": ("an alpha for each channel, label smoothing with labels",
                      {"norm": {"kind": "dyt", "alpha_shape": "channel", "shift": True, "ffn": {"fn": "isru"}}},
                      {}, {"label_smoothing": 0.1}),
    "alpha_fixed": ("a fixed alpha without gradient, no affine part",
                    {"norm": {"kind": "dyt", "fn": "tanh", "alpha_learnable": False, "affine": False,
                              "attn": {"fn": "identity"}}}, {"clip_norm": 100.0}, {}),
    "sgd": ("SGD with momentum, weight decay and clipping that bites", {"norm": {"kind": "dyt"}},
            {"name": "sgd", "lr": 0.05, "momentum": 0.8, "weight_decay": 0.1, "clip_norm": 0.5}, {}),
    "layer_decay": ("a learning rate for each layer, and with it its weight decay", {"norm": {"kind": "dyt"}},
                    {"layer_decay": 0.65, "weight_decay": 0.2, "lr": 3e-3}, {}),
    "functions_smooth": ("isru, satursin, relsign", {"norm": three("isru", "satursin", "relsign", shift=True)}, {}, {}),
    "functions_abs": ("expsign, smoothsign, saturlog", {"norm": three("expsign", "smoothsign", "saturlog")}, {}, {}),
    "functions_clip": ("arcsinhclip, linearclip, logsignclip", {"norm": three("arcsinhclip", "linearclip", "logsignclip")}, {}, {}),
    "functions_flat": ("logquadclip, cubsign: slope 0 at 0", {"norm": three("logquadclip", "cubsign", "cubsign")}, {}, {}),
    "functions_root": ("exproot, power23clip: infinite slope at 0; identity before the head",
                       {"norm": three("exproot", "power23clip", "identity")}, {}, {}),
}


def config_of(name):
    """The config as it is written: only the keys the case is about."""
    about, model, optim, train = CASES[name]
    model = {**SMALL, **model}
    cfg = {"_about": f"Reference case: {about}. Written by scripts/write_reference.py.",
           "model": {key: value for key, value in model.items() if value is not None},
           "optim": optim if optim.get("name") == "sgd" else {**ADAMW, **optim}, "train": train}
    return {key: value for key, value in cfg.items() if value}


def complete_config(written):
    """All keys; what a case leaves to its files is SMALL's."""
    return dyt_config.resolve(dyt_config.merge({"model": SMALL}, written))


def draw_weights(cfg):
    """A model with F32 weights, every tensor away from where it starts."""
    model = vit.VisionTransformer(cfg)
    with torch.no_grad():
        for name, p in model.named_parameters():
            wide = p.ndim > 1 and "embed" not in name
            p += (0.25 if wide else 0.15) * torch.randn(p.shape)
            if name.endswith("alpha"):
                p += 0.5
    return model


def draw_batch(cfg, soft):
    """Images of random normal pixels with labels or soft targets."""
    m = cfg["model"]
    n = 4
    images = torch.randn(n, m["channels"], m["image_size"], m["image_size"])
    if soft:
        return {"images": images, "targets": torch.softmax(2 * torch.randn(n, m["classes"]), 1)}
    return {"images": images, "labels": torch.randint(m["classes"], (n,))}


def answer_of(batch, dtype):
    """Labels, or targets as `dtype`."""
    return batch["labels"] if "labels" in batch else batch["targets"].to(dtype)


def train(model, batch, cfg, dtype):
    """What `replay --steps` gives: loss, logits, first gradients, final parameters (which `model` keeps too)."""
    model = copy.deepcopy(model).to(dtype)
    optimizer = vit.optimizer(model, cfg)
    images, answer = batch["images"].to(dtype), answer_of(batch, dtype)
    out, losses = {}, []
    for step in range(STEPS):
        optimizer.zero_grad()
        logits = model(images)
        loss = vit.loss(logits, answer, cfg)
        loss.backward()
        losses.append(loss.detach())
        if step == 0:
            out["logits"] = logits.detach().clone()
            out |= {f"grad.{name}": p.grad.clone() for name, p in model.named_parameters() if p.requires_grad}
        vit.clip_gradients(model, cfg)
        optimizer.step()
    out["loss"] = torch.stack(losses)
    return out | {name: value.detach().clone() for name, value in model.state_dict().items()}


def reorder(batch, order):
    return {key: value[order] for key, value in batch.items()}


def float_error(model, batch, cfg, truth):
    """Largest error of float32 for each tensor, over some orders of the samples (which change roundings only)."""
    worst = {name: 0.0 for name in truth}
    n = len(batch["images"])
    for _ in range(ORDERS):
        order = torch.randperm(n)
        found = train(model, reorder(batch, order), cfg, torch.float32)
        found["logits"] = found["logits"][torch.argsort(order)]
        for name, value in truth.items():
            scale = value.abs().max().item() if name.startswith("grad.") else 1.0
            worst[name] = max(worst[name], (found[name].double() - value).abs().max().item() / scale)
    return worst


def check_differences(model, batch, cfg, truth):
    """The gradient of each tensor against central differences in float64, along a random direction."""
    model = copy.deepcopy(model).double()
    images, answer = batch["images"].double(), answer_of(batch, torch.float64)
    h = 1e-6
    for tensor, p in model.named_parameters():
        if not p.requires_grad:
            continue
        direction = torch.randn(p.shape, dtype=torch.float64)
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                p += sign * h * direction
                values.append(vit.loss(model(images), answer, cfg).item())
                p -= sign * h * direction
        grad = truth[f"grad.{tensor}"]
        slope, expected = (values[0] - values[1]) / (2 * h), (grad * direction).sum().item()
        if abs(slope - expected) > 1e-5 * grad.norm().item() + 1e-8:
            raise Unfit(f"the gradient of {tensor} is {expected}, by finite differences {slope}")


def check_reach(model, batch):
    """Every point-wise function must see arguments around 0 and beyond the bend of all of them."""
    reach = {}

    def look(module, inputs, _):
        z = module.argument(inputs[0]).abs()
        low, high = reach.get(module.name, (9.0, 0.0))
        reach[module.name] = (min(low, z.min().item()), max(high, z.max().item()))

    model = copy.deepcopy(model)
    for module in model.modules():
        if isinstance(module, vit.Pointwise):
            module.register_forward_hook(look)
    model(batch["images"])
    for fn, (low, high) in reach.items():
        if low > 0.3 or high < 1.75:
            raise Unfit(f"{fn} sees |z| from {low:.2f} to {high:.2f}")


def check_worth(truth, error, comparable):
    """Refuses a case that cannot find a mistake, or that float32 cannot follow."""
    for tensor, value in truth.items():
        if tensor.startswith("grad.") and value.abs().max() < BLIND:
            raise Unfit(f"{tensor} is at most {value.abs().max():.1e}")
        if comparable and tensor.startswith("grad.") and error[tensor] > KINKED:
            raise Unfit(f"float32 misses {tensor} by {error[tensor]:.1e}")


def tolerances(error, comparable):
    """CASE.tol.json"""
    def of(names):
        return {short: float(f"{error[full]:.3g}") for short, full in names}
    grads = [(n[5:], n) for n in error if n.startswith("grad.")]
    params = [(n, n) for n in error if not n.startswith("grad.") and n not in ("loss", "logits")]
    return {"steps": STEPS, "float": comparable, **of([("loss", "loss"), ("logits", "logits")]), "grad": of(grads),
            "param": of(params), "_torch": torch.__version__}


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as f:
        f.write(json.dumps(value, indent=2) + "\n")


def write_tensors(path, tensors):
    """One metadata key: with several their order would change from run to run."""
    save_file({name: value.contiguous() for name, value in tensors.items()}, path, {"format": "pt"})
    os.chmod(path, 0o644)


def draw_case(name, cfg, comparable):
    """A model, a batch, the truth and float32's error; random numbers depend on the case's name and the attempt only."""
    why = None
    for attempt in range(DRAWS):
        torch.manual_seed(zlib.crc32(f"{name} {attempt}".encode()))
        model, batch = draw_weights(cfg), draw_batch(cfg, soft=name == "soft_targets")
        truth = train(model, batch, cfg, torch.float64)
        error = float_error(model, batch, cfg, truth)
        try:
            check_differences(model, batch, cfg, truth)
            check_reach(model, batch)
            check_worth(truth, error, comparable)
            return model, batch, truth, error
        except Unfit as reason:
            why = reason
    raise SystemExit(f"{name}: {DRAWS} draws were refused, the last because {why}: change the case")


def write_case(name, folder):
    """Computes, checks and writes one case."""
    written = config_of(name)
    cfg = complete_config(written)
    comparable = not any(dyt_config.site(cfg, s)["fn"] in INFINITE_SLOPE for s in ("attn", "ffn", "final"))
    model, batch, truth, error = draw_case(name, cfg, comparable)
    base = os.path.join(folder, name)
    write_json(f"{base}.json", written)
    write_json(f"{base}.tol.json", tolerances(error, comparable))
    write_tensors(f"{base}.weights.safetensors", dict(model.state_dict()))
    write_tensors(f"{base}.batch.safetensors", batch)
    write_tensors(f"{base}.expect.safetensors", truth)
    print(f"{name:18} loss {truth['loss'][0]:.4f} -> {truth['loss'][-1]:.4f}   float32 error: loss {error['loss']:.1e}  "
          f"logits {error['logits']:.1e}  grad {max(e for n, e in error.items() if n.startswith('grad.')):.1e}")


def check_complete():
    """Every function must occur in some case."""
    used = set()
    for name in CASES:
        cfg = complete_config(config_of(name))
        sites = [dyt_config.site(cfg, s) for s in ("attn", "ffn", "final")]
        used |= {s["fn"] for s in sites if s["kind"] == "dyt"} | {cfg["model"]["act"]}
    missing = (set(vit.FUNCTIONS) | set(vit.ACTIVATIONS)) - used
    if missing:
        raise SystemExit(f"no case uses {', '.join(sorted(missing))}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="*", help="only these")
    parser.add_argument("--out", default=os.path.join(os.path.dirname(__file__), "..", "tests", "reference"))
    args = parser.parse_args()
    unknown = [name for name in args.case if name not in CASES]
    if unknown:
        parser.error(f"no case {unknown[0]} (there are {', '.join(CASES)})")
    torch.set_num_threads(1)
    check_complete()
    os.makedirs(args.out, exist_ok=True)
    for name in args.case or CASES:
        write_case(name, args.out)


if __name__ == "__main__":
    main()
