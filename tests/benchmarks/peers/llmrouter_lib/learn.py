"""llmrouter-lib's routers and trainers on our vectors. Runs in an environment of its own; imports nothing of ours.

`python learn.py SOURCE.npz CHOICES.json`. SOURCE.npz: features_ND of N prompts to learn from, quality_NM in [0, 1],
test_KD, seed. CHOICES.json: router -> the column chosen on each test prompt.

The package embeds prompts by Longformer and asks the chosen model over the network: both functions are replaced, the
one by a look-up of our vectors, the other by no answer. All else is the package's: its reading of the files, its
routers, its trainers, and the settings of its documentation (the wheel carries no configuration files).

Its trainers call the first of a prompt's equally good candidates the best, in the order of the file, and most prompts
have several. So every router is trained twice: with candidates in the order given, and the best on average first.
The graph, which takes longest, is trained with the best first alone, and asked in two ways.
"""

import contextlib
import importlib
import json
import os
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
import yaml

GRAPH = "graph"
SETTINGS = {
    # `probability` of the shipped SVM settings is left out: it adds five more trainings, and routing doesn't read it
    "kNN": ("knnrouter", "KNNRouter", "KNNRouterTrainer", {"n_neighbors": 5, "weights": "uniform"}),
    "SVM": ("svmrouter", "SVMRouter", "SVMRouterTrainer", {"kernel": "rbf", "C": 1.0, "gamma": "scale"}),
    "MLP": (
        "mlprouter",
        "MLPRouter",
        "MLPTrainer",
        {
            "hidden_layer_sizes": [128, 64],
            "activation": "relu",
            "lr": 0.001,
            "epochs": 100,
            "batch_size": 32,
            "alpha": 0.0001,
        },
    ),
    "MF": (
        "mfrouter",
        "MFRouter",
        "MFRouterTrainer",
        {"latent_dim": 128, "lr": 0.001, "epochs": 5, "noise_alpha": 0.0},
    ),
    "Elo": ("elorouter", "EloRouter", "EloRouterTrainer", {}),
    GRAPH: (
        "graphrouter",
        "GraphRouter",
        "GraphTrainer",
        {
            "hidden_dim": 64,
            "learning_rate": 0.001,
            "weight_decay": 0.0001,
            "train_epoch": 100,
            "batch_size": 4,
            "train_mask_rate": 0.3,
            "val_split_ratio": 0.2,
        },
    ),
}


def main(source: str, target: str) -> None:
    """Every router's choices on the test prompts."""
    # half of its messages and all of its warnings are about training runs that nobody watches
    warnings.simplefilter("ignore")
    given = dict(np.load(source))
    learn_ND, test_KD = given["features_ND"].astype(np.float32), given["test_KD"].astype(np.float32)
    orders = {
        "": np.arange(given["quality_NM"].shape[1]),
        ", best first": np.argsort(-given["quality_NM"].mean(axis=0)),
    }
    chosen = {}
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        for suffix, order_M in orders.items():
            quality_NM = given["quality_NM"][:, order_M]
            for name in SETTINGS:
                if name != GRAPH:
                    (found_K,) = _choices(name, learn_ND, quality_NM, [test_KD], int(given["seed"]))
                    chosen[name + suffix] = order_M[found_K].tolist()
        order_M, asked = orders[", best first"], [test_KD, _in_range(test_KD, learn_ND)]
        as_given_K, scaled_K = _choices(GRAPH, learn_ND, given["quality_NM"][:, order_M], asked, int(given["seed"]))
        chosen[f"{GRAPH}, best first"] = order_M[as_given_K].tolist()
        chosen[f"{GRAPH}, best first, scaled"] = order_M[scaled_K].tolist()
    with open(target, "w", encoding="utf-8") as file:
        json.dump(chosen, file)


def _in_range(test_KD: np.ndarray, learn_ND: np.ndarray) -> np.ndarray:
    """Test prompts' vectors scaled as the package scales those that its graph is trained on.

    When routing, it scales test prompts by the range of vectors that are scaled already, so that they resemble none
    that it was trained on; vectors in that range stay what they are.
    """
    low_D, high_D = learn_ND.min(axis=0), learn_ND.max(axis=0)
    return (test_KD - low_D) / np.where(high_D > low_D, high_D - low_D, 1)


def _choices(
    name: str, learn_ND: np.ndarray, quality_NM: np.ndarray, asked: list[np.ndarray], seed: int
) -> list[np.ndarray]:
    """Columns that a newly trained router of the package chooses, for each way of giving test prompts, shape (K,)."""
    module, router_name, trainer_name, settings = SETTINGS[name]
    package = importlib.import_module(f"llmrouter.models.{module}")
    code = importlib.import_module(f"llmrouter.models.{module}.router")
    vectors = {
        f"test {way} {row:07d}": torch.from_numpy(vector)
        for way, test_KD in enumerate(asked)
        for row, vector in enumerate(test_KD)
    }
    code.get_longformer_embedding = vectors.__getitem__
    code.call_api = lambda *_, **__: {"response": ""}
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the package draws from the global state
    with tempfile.TemporaryDirectory() as folder:
        router = getattr(package, router_name)(str(_written(Path(folder), learn_ND, quality_NM, settings)))
        getattr(package, trainer_name)(router, device="cpu").train()
        answers = [
            router.route_batch([{"query": f"test {way} {row:07d}"} for row in range(len(test_KD))])
            for way, test_KD in enumerate(asked)
        ]
    return [np.array([int(one["model_name"].removeprefix("model ")) for one in each]) for each in answers]


def _written(folder: Path, learn_ND: np.ndarray, quality_NM: np.ndarray, settings: dict) -> Path:
    """The configuration of a router, with the files that it names."""
    with open(folder / "routing.jsonl", "w", encoding="utf-8") as file:
        for row, quality_M in enumerate(quality_NM):
            for column, quality in enumerate(quality_M):
                line = {"query": f"learn {row:07d}", "model_name": f"model {column}", "embedding_id": row}
                file.write(json.dumps({**line, "performance": float(quality)}) + "\n")
    torch.save(torch.from_numpy(learn_ND), folder / "vectors.pt")
    stored = str(folder / ("router.pt" if "hidden_dim" in settings else "router.pkl"))
    config = {
        "data_path": {
            "routing_data_train": str(folder / "routing.jsonl"),
            "query_embedding_data": str(folder / "vectors.pt"),
        },
        "model_path": {"ini_model_path": "", "save_model_path": stored, "load_model_path": stored},
        "hparam": {**settings, **({"text_dim": learn_ND.shape[1]} if "latent_dim" in settings else {})},
        "api_endpoint": "nowhere",
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return folder / "config.yaml"


if __name__ == "__main__":
    main(*sys.argv[1:3])
