"""ParetoBandit over one stream of prompts, then frozen on others. Runs in its own environment; imports nothing of ours.

`python stream.py STREAM.npz CHOICES.json`. STREAM.npz: features_ND of N prompts in the stream's order, reward_NM in
[0, 1], test_KD, input_usd_M and output_usd_M per million tokens, seed. CHOICES.json: setting -> the column chosen on
each test prompt. Of the stream only the chosen candidate's reward is shown.
"""

import json
import logging
import sys

import numpy as np
from pareto_bandit import BanditRouter
from pareto_bandit.config import BEST_K3_TABULA_RASA_HPARAMS as COLD
from pareto_bandit.feature_service import FeatureService
from sklearn.decomposition import PCA

SETTINGS = {
    # the package's own settings for a start without priors; without forgetting, for streams that don't change
    "quality": {"cost_penalty": 0.0, "forgetting_factor": COLD["forgetting_factor"]},
    "quality, no forgetting": {"cost_penalty": 0.0, "forgetting_factor": 1.0},
    "cost": {"forgetting_factor": COLD["forgetting_factor"]},
    "cost, no forgetting": {"forgetting_factor": 1.0},
}


def main(source: str, target: str) -> None:
    """Every setting's choices on the test prompts."""
    logging.disable(logging.WARNING)
    given = dict(np.load(source))
    reduced = PCA(COLD["pca_components"], whiten=True, random_state=0).fit(given["features_ND"])
    stream, test = (_with_bias(reduced.transform(given[name])) for name in ("features_ND", "test_KD"))
    names = [f"m{column}" for column in range(given["reward_NM"].shape[1])]
    registry = {
        name: {"input_cost_per_m": float(given["input_usd_M"][column]), "output_cost_per_m": float(output)}
        for column, (name, output) in enumerate(zip(names, given["output_usd_M"], strict=True))
    }
    chosen = {}
    for setting, options in SETTINGS.items():
        router = BanditRouter.create(
            model_registry=registry,
            feature_service=FeatureService.for_precomputed(stream.shape[1]),
            priors="none",
            alpha=COLD["alpha"],
            bandit_seed=int(given["seed"]),
            **options,
        )
        for features, reward in zip(stream, given["reward_NM"], strict=True):
            name, log = router.route(features)
            router.process_feedback(log.request_id, float(reward[names.index(name)]))
        with router.exploit():
            chosen[setting] = [names.index(router.route(features)[0]) for features in test]
    with open(target, "w", encoding="utf-8") as file:
        json.dump(chosen, file)


def _with_bias(reduced: np.ndarray) -> np.ndarray:
    return np.concatenate([reduced, np.ones((len(reduced), 1))], axis=1)


if __name__ == "__main__":
    main(*sys.argv[1:3])
