"""The Vision Transformer of a dyt config in PyTorch, with timm's parameter names: the other side of every comparison.

    cfg = dyt_config.load("configs/quick/fashion_dyt.json")
    model = vit_pytorch.VisionTransformer(cfg)                       # images [N, C, H, W] -> logits [N, K]
    optimizer = vit_pytorch.optimizer(model, cfg)
    loss = vit_pytorch.loss(model(images), labels, cfg)              # labels [N], or targets [N, K]

Every norm of include/dyt/functions.def is here under its name. A fixed alpha is a parameter without gradient, so it is saved
with the weights and not trained. Needs torch.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

import dyt_config


def clip(x):
    """x limited to [-1, 1]."""
    return x.clamp(-1, 1)


def saturating_log(z):
    """sgn(z) l / (l + 1), l = ln(|z| + 1)."""
    l = z.abs().log1p()
    return z.sign() * l / (l + 1)


# Group NORM of functions.def.
FUNCTIONS = {
    "identity": lambda z: z,
    "tanh": torch.tanh,
    "hardtanh": clip,
    "sigmoid": torch.sigmoid,
    "erf": torch.erf,
    "isru": lambda z: z / (1 + z * z).sqrt(),
    "arctan": lambda z: 2 / math.pi * z.atan(),
    "satursin": lambda z: z.clamp(-math.pi / 2, math.pi / 2).sin(),
    "expsign": lambda z: -z.sign() * torch.expm1(-z.abs()),
    "smoothsign": lambda z: z / (1 + z.abs()),
    "relsign": lambda z: z / ((z * z + 1).sqrt() + 1),
    "arcsinhclip": lambda z: clip(z.asinh()),
    "linearclip": clip,
    "exproot": lambda z: -z.sign() * torch.expm1(-z.abs().sqrt()),
    "logsignclip": lambda z: clip(z.sign() * z.abs().log1p()),
    "logquadclip": lambda z: clip(z.sign() * (z * z).log1p()),
    "power23clip": lambda z: clip(z.sign() * z.abs().pow(2 / 3)),
    "saturlog": saturating_log,
    "cubsign": lambda z: z**3 / (z.abs() ** 3 + 1),
}
# Group ACT.
ACTIVATIONS = {
    "gelu": F.gelu,
    "gelu_tanh": lambda z: F.gelu(z, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
    "selu": F.selu,
}


class Pointwise(nn.Module):
    """gamma f(alpha x + shift) + beta: Dynamic Tanh (Zhu et al. 2025) and its relatives (Chen et al. 2025)."""

    def __init__(self, dim, norm):
        super().__init__()
        self.name, self.fn = norm["fn"], FUNCTIONS[norm["fn"]]
        alphas = dim if norm["alpha_shape"] == "channel" else 1
        self.alpha = nn.Parameter(torch.full((alphas,), float(norm["alpha0"])), requires_grad=norm["alpha_learnable"])
        self.shift = nn.Parameter(torch.zeros(1)) if norm["shift"] else None
        self.weight = nn.Parameter(torch.ones(dim)) if norm["affine"] else None
        self.bias = nn.Parameter(torch.zeros(dim)) if norm["affine"] else None

    def argument(self, x):
        """What the function is applied to."""
        z = self.alpha * x
        return z if self.shift is None else z + self.shift

    def forward(self, x):
        y = self.fn(self.argument(x))
        return y if self.weight is None else self.weight * y + self.bias


# kind -> module of (dim, the site's keys)
KINDS = {
    "layernorm": lambda dim, norm: nn.LayerNorm(dim, norm["eps"], elementwise_affine=norm["affine"]),
    "rmsnorm": lambda dim, norm: nn.RMSNorm(dim, norm["eps"], elementwise_affine=norm["affine"]),
    "dyt": Pointwise,
    "none": lambda dim, norm: nn.Identity(),
}


def make_norm(cfg, site):
    """The module at a site."""
    norm = dyt_config.site(cfg, site)
    return KINDS[norm["kind"]](cfg["model"]["dim"], norm)


class DropPath(nn.Module):
    """Leaves out a branch for whole samples, in training."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        if not self.training or self.rate == 0:
            return x
        keep = 1 - self.rate
        return x * x.new_empty(x.shape[0], 1, 1).bernoulli_(keep) / keep


class Attention(nn.Module):
    def __init__(self, m):
        super().__init__()
        self.heads = m["heads"]
        self.qkv = nn.Linear(m["dim"], 3 * m["dim"])
        self.proj = nn.Linear(m["dim"], m["dim"])
        self.drop = nn.Dropout(m["dropout"])

    def forward(self, x):
        n, tokens, dim = x.shape
        q, k, v = self.qkv(x).view(n, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.drop(self.proj(mixed.transpose(1, 2).reshape(n, tokens, dim)))


class Mlp(nn.Module):
    def __init__(self, m):
        super().__init__()
        hidden = int(m["dim"] * m["mlp_ratio"])
        self.fc1 = nn.Linear(m["dim"], hidden)
        self.fc2 = nn.Linear(hidden, m["dim"])
        self.act = ACTIVATIONS[m["act"]]
        self.drop = nn.Dropout(m["dropout"])

    def forward(self, x):
        return self.drop(self.fc2(self.drop(self.act(self.fc1(x)))))


class Block(nn.Module):
    """Pre-norm: x + attention(norm1(x)), then x + mlp(norm2(x))."""

    def __init__(self, cfg, drop_path):
        super().__init__()
        self.norm1 = make_norm(cfg, "attn")
        self.attn = Attention(cfg["model"])
        self.norm2 = make_norm(cfg, "ffn")
        self.mlp = Mlp(cfg["model"])
        self.drop_path = DropPath(drop_path)

    def forward(self, x):
        x = x + self.drop_path(self.attn(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class PatchEmbed(nn.Module):
    def __init__(self, m):
        super().__init__()
        self.proj = nn.Conv2d(m["channels"], m["dim"], m["patch_size"], m["patch_size"])

    def forward(self, images):
        return self.proj(images).flatten(2).transpose(1, 2)


class VisionTransformer(nn.Module):
    """model.image_size, channels and classes must be known. Initialised as timm does (other random numbers than dyt's)."""

    def __init__(self, cfg):
        super().__init__()
        m = cfg["model"]
        dim, depth, side = m["dim"], m["depth"], m["image_size"] // m["patch_size"]
        self.average = m["pool"] == "avg"
        self.patch_embed = PatchEmbed(m)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, side * side + 1, dim))
        self.drop = nn.Dropout(m["dropout"])
        rates = [m["drop_path"] * i / max(1, depth - 1) for i in range(depth)]
        self.blocks = nn.ModuleList(Block(cfg, rate) for rate in rates)
        self.norm = nn.Identity() if self.average else make_norm(cfg, "final")
        self.fc_norm = make_norm(cfg, "final") if self.average else nn.Identity()
        self.head = nn.Linear(dim, m["classes"])
        self.init_weights(m["patch_init_std"])

    def init_weights(self, patch_std):
        """Linear layers 0.02 and zero; the patch embedding keeps PyTorch's default for convolutions."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        nn.init.normal_(self.cls_token, std=1e-6)
        if patch_std is not None:
            nn.init.trunc_normal_(self.patch_embed.proj.weight, std=patch_std)
            nn.init.zeros_(self.patch_embed.proj.bias)

    def forward(self, images):
        x = self.patch_embed(images)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], 1) + self.pos_embed
        x = self.drop(x)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        x = x[:, 1:].mean(1) if self.average else x[:, 0]
        return self.head(self.fc_norm(x))


def layer_of(name, depth):
    """The layer of a parameter as BEiT and MAE count them: 0 the embedding, i + 1 block i, depth + 1 what follows."""
    if name.startswith(("patch_embed.", "cls_token", "pos_embed")):
        return 0
    return int(name.split(".")[1]) + 1 if name.startswith("blocks.") else depth + 1


def optimizer(model, cfg, **options):
    """The config's optimizer with weight decay on matrices only: not on alpha, gamma, beta, shift, biases, class token, positions.
    A layer's learning rate is layer_decay times that of the layer above."""
    o, depth = cfg["optim"], cfg["model"]["depth"]
    members = {}
    for name, p in model.named_parameters():
        if p.requires_grad:
            plain = p.ndim <= 1 or name in ("cls_token", "pos_embed")
            members.setdefault((layer_of(name, depth), plain), []).append(p)
    groups = [{"params": parameters, "weight_decay": 0.0 if plain else o["weight_decay"],
               "lr": o["lr"] * o["layer_decay"] ** (depth + 1 - layer)} for (layer, plain), parameters in members.items()]
    if o["name"] == "sgd":
        return torch.optim.SGD(groups, lr=o["lr"], momentum=o["momentum"], **options)
    return torch.optim.AdamW(groups, lr=o["lr"], betas=tuple(o["betas"]), eps=o["eps"], **options)


def loss(logits, target, cfg):
    """Mean cross-entropy; smoothing makes a target t into t (1 - s) + s / K."""
    return F.cross_entropy(logits, target, label_smoothing=cfg["train"]["label_smoothing"])


def clip_gradients(model, cfg):
    """Gradients times min(1, c / (norm + 1e-6)) where the config asks for it."""
    if cfg["optim"]["clip_norm"]:
        nn.utils.clip_grad_norm_(model.parameters(), cfg["optim"]["clip_norm"])
