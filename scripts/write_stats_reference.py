"""Writes tests/reference/stats.json: numbers from SciPy that tests/test_stats.c compares with those of src/analyze/stats.c.

    python3 -m venv V && V/bin/pip install scipy
    V/bin/python scripts/write_stats_reference.py
"""

import json
import os

import numpy as np
from scipy import integrate, stats

DIGITS = 2  # of the samples: as accuracies are printed, and so that there are ties


def sample(rng, n, mean, sd):
    return [round(float(v), DIGITS) for v in rng.normal(mean, sd, n)]


def summary(x):
    return {"x": x, "mean": np.mean(x), "sd": np.std(x, ddof=1), "min": min(x), "max": max(x)}


def paired(x, y, margin):
    difference = np.array(x) - np.array(y)
    n = len(x)
    freedom, mean, error = n - 1, difference.mean(), stats.sem(difference)
    interval = {share: stats.t.interval(share, freedom, mean, error) for share in (0.95, 0.90)}
    return {
        "x": x, "y": y, "margin": margin,
        "difference": mean, "sd": difference.std(ddof=1), "correlation": stats.pearsonr(x, y)[0],
        "low": interval[0.95][0], "high": interval[0.95][1], "low90": interval[0.90][0], "high90": interval[0.90][1],
        "p_greater": stats.ttest_rel(x, y, alternative="greater").pvalue,
        "p_two_sided": stats.ttest_rel(x, y).pvalue,
        "p_equivalent": max(stats.t.sf((mean + margin) / error, freedom), stats.t.cdf((mean - margin) / error, freedom)),
    }


def correlation(x, y):
    return {"x": x, "y": y, "pearson": stats.pearsonr(x, y)[0], "spearman": stats.spearmanr(x, y)[0]}


def holm(p):
    """By the definition: tests are rejected in the order of their p until one is not; the corrected p is the level at which one is."""
    order = sorted(range(len(p)), key=lambda i: p[i])
    return {"p": p, "holm": [min(1, max((len(p) - k) * p[order[k]] for k in range(order.index(i) + 1))) for i in range(len(p))]}


def power(n, sd, margin):
    t = stats.t.ppf(0.95, n - 1)

    def given(s):  # the measured standard deviation over the true one
        density = 2 * s * (n - 1) * stats.chi2.pdf(s * s * (n - 1), n - 1)
        return density * max(0, 2 * stats.norm.cdf(margin * n**0.5 / sd - t * s) - 1)

    return {"n": n, "sd": sd, "margin": margin, "power": integrate.quad(given, 0, margin * n**0.5 / sd / t, epsabs=1e-12, limit=200)[0]}


def main():
    rng = np.random.default_rng(0)
    a, b, c = (sample(rng, 8, 87.6, 0.3) for _ in range(3))
    many = [sample(rng, 40, 80, 1) for _ in range(2)]
    depth = [float(v) for v in range(9)]
    few = [[float(v) for v in rng.integers(0, 4, 25)] for _ in range(2)]
    reference = {
        "summary": [summary(a), summary(a[:2]), summary(many[0]), summary([-3.5, 1e6, 2.0])],
        "paired": [
            paired(a[:2], b[:2], 0.5), paired(a[:3], b[:3], 0.5), paired(a[:5], c[:5], 0.5), paired(a, b, 0.5),
            paired(b, a, 0.05), paired(a, [v + 3 for v in b], 0.5), paired(a, [v + w / 100 for v, w in zip(a, b)], 1.0),
            paired(many[0], many[1], 0.3), paired([v + 1.4 for v in a[:3]], a[3:6], 0.5),
        ],
        "correlation": [
            correlation(a, b), correlation(many[0], [v**3 for v in many[0]]), correlation(few[0], few[1]),
            correlation(depth, [0.5, 0.5, 0.6, 0.7, 0.5, 0.9, 1.2, 1.2, 1.2]), correlation(depth, [2.0] * 8 + [1.0]),
            correlation([1.0, 1.0, 2.0], [3.0, 1.0, 1.0]), correlation([5.0, 4.0, 4.0, 1.0], [1.0, 2.0, 3.0, 3.0]),
        ],
        "holm": [holm([0.01, 0.04, 0.03, 0.005]), holm([0.2, 0.9, 0.6]), holm([0.02, 0.02, 0.02, 1.0, 0.0]), holm([0.03])],
        "power": [power(n, 0.35, 0.5) for n in (3, 5, 8, 10)] + [power(2, 0.1, 0.5), power(40, 1.0, 0.5)],
    }
    path = os.path.join(os.path.dirname(__file__), "..", "tests", "reference", "stats.json")
    with open(path, "w", encoding="utf-8") as f:
        sections = (f' "{k}": [\n  ' + ",\n  ".join(json.dumps(case, default=float) for case in v) + "\n ]" for k, v in reference.items())
        f.write("{\n" + ",\n".join(sections) + "\n}\n")


if __name__ == "__main__":
    main()
