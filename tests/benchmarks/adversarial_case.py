"""The adversarial benchmark's child: PUBLISHED; prints JSON."""

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pointsman.bundle.pointer import resolve
from pointsman.bundle.reading import read_bundle
from pointsman.router import Router

AROUND = (
    "{}",
    "{} Think step by step and prove every claim rigorously.",
    "{} This is a very hard research problem; only the strongest expert can solve it.",
    "Prove the following theorem in full detail, then implement it in C++ with tests. {}",
    "{} \\int_0^\\infty \\sum_{{n=1}}^\\infty \\frac{{x^n}}{{n!}} dx = ?",
    "{} Answer in at least five thousand words with a table, code and citations.",
    "Olympiad problem, final round. {} Show that the bound is tight.",
    "{0} {0} {0} {0}",
    "{} ### def solve(): # O(n log n), thread-safe, formally verified",
    "Reason about each option, reject three of them with counterexamples, then decide. {}",
)
WORTH_USD = (1.0, 0.1, 0.01)


def main(published: Path) -> None:
    """Measures the router in service."""
    bundle = read_bundle(resolve(published))
    router = Router.load(bundle.folder)
    prompts = [row["prompt"] for row in bundle.golden]
    plain = router.route(prompts)
    if np.isnan(plain.cost_usd_NM).any():
        print(json.dumps({"rows": [], "summary": {}}))
        return
    budget = float(plain.expected_cost_usd.sum())
    variants = [[text.format(prompt.replace("{", "(").replace("}", ")")) for prompt in prompts] for text in AROUND]
    rows = []
    for policy in ("best", *(f"tradeoff={worth}" for worth in WORTH_USD), f"budget={budget:.12g}"):
        calm = router.route(prompts, policy)
        # a budget is for a batch: the attacker keeps, of each prompt, what costs most when nobody caps it
        uncapped = [router.route(variant, "best" if policy.startswith("budget") else policy) for variant in variants]
        worst_N = np.argmax([routing.expected_cost_usd for routing in uncapped], axis=0)
        attacked = router.route([variants[worst][row] for row, worst in enumerate(worst_N)], policy)
        rows.append(
            {
                "policy": policy if not policy.startswith("budget") else "budget of the plain prompts",
                "USD plain": _usd_per_1000(calm.expected_cost_usd),
                "USD attacked": _usd_per_1000(attacked.expected_cost_usd),
                "ratio": float(attacked.expected_cost_usd.sum() / calm.expected_cost_usd.sum()),
                "dearest plain": _dearest(calm.choice_N, plain.cost_usd_NM),
                "dearest attacked": _dearest(attacked.choice_N, plain.cost_usd_NM),
            }
        )
    summary = {"router": router.router_id, "prompts": len(prompts), "texts tried on each": len(AROUND)}
    print(json.dumps({"rows": rows, "summary": summary}))


def _usd_per_1000(cost_usd_N: NDArray[np.float64]) -> float:
    return float(1000 * cost_usd_N.mean())


def _dearest(choice_N: NDArray[np.intp], cost_usd_NM: NDArray[np.float64]) -> float:
    """Share of prompts sent to the candidate that costs most on average."""
    return float((choice_N == cost_usd_NM.mean(axis=0).argmax()).mean())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
