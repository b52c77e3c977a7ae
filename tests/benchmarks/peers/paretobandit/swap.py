"""ParetoBandit with a candidate put in later. Runs in its own environment; imports nothing of ours.

`python swap.py OUTCOMES.npz CHOICES.json`. OUTCOMES.npz: features_ND of N prompts, reward_NM in [0, 1], test_KD,
input_usd_M and output_usd_M per million tokens, probe_MP: rows on which each candidate's answers are seen when it is
the newcomer, count_C: how many of them, ascending, seed. CHOICES.json: `full`, with every outcome of every candidate,
and by column and count, with every outcome of the others and then the newcomer's probes: the column chosen on each
test prompt.
"""

import json
import logging
import sys

import numpy as np
from pareto_bandit import BanditRouter
from pareto_bandit.config import BEST_K3_TABULA_RASA_HPARAMS as COLD
from pareto_bandit.feature_service import FeatureService
from sklearn.decomposition import PCA


def main(source: str, target: str) -> None:
    """The choices on the test prompts, quality alone and without forgetting."""
    logging.disable(logging.WARNING)
    given = dict(np.load(source))
    reduced = PCA(COLD["pca_components"], whiten=True, random_state=0).fit(given["features_ND"])
    seen, test = (_with_bias(reduced.transform(given[name])) for name in ("features_ND", "test_KD"))
    reward_NM = given["reward_NM"]
    columns = range(reward_NM.shape[1])

    def chosen(router: BanditRouter) -> list[int]:
        with router.exploit():
            return [int(router.route(features)[0][1:]) for features in test]

    found = {"full": chosen(_taught(given, seen, list(columns)))}
    for newcomer in columns:
        router = _taught(given, seen, [column for column in columns if column != newcomer])
        router.register_model(f"m{newcomer}", **_prices(given, newcomer))
        shown = 0
        for count in given["count_C"].tolist():
            for row in given["probe_MP"][newcomer, shown:count]:
                router.update(f"m{newcomer}", seen[row], float(reward_NM[row, newcomer]), advance_time=False)
            shown = count
            found[f"{newcomer} with {count}"] = chosen(router)
    with open(target, "w", encoding="utf-8") as file:
        json.dump(found, file)


def _taught(given: dict[str, np.ndarray], seen: np.ndarray, columns: list[int]) -> BanditRouter:
    """A bandit that has seen every outcome of these candidates."""
    router = BanditRouter.create(
        model_registry={f"m{column}": _prices(given, column) for column in columns},
        feature_service=FeatureService.for_precomputed(seen.shape[1]),
        priors="none",
        alpha=COLD["alpha"],
        bandit_seed=int(given["seed"]),
        cost_penalty=0.0,
        forgetting_factor=1.0,
    )
    for features, reward_M in zip(seen, given["reward_NM"], strict=True):
        for column in columns:
            router.update(f"m{column}", features, float(reward_M[column]), advance_time=False)
    return router


def _prices(given: dict[str, np.ndarray], column: int) -> dict[str, float]:
    return {
        "input_cost_per_m": float(given["input_usd_M"][column]),
        "output_cost_per_m": float(given["output_usd_M"][column]),
    }


def _with_bias(reduced: np.ndarray) -> np.ndarray:
    return np.concatenate([reduced, np.ones((len(reduced), 1))], axis=1)


if __name__ == "__main__":
    main(*sys.argv[1:3])
