"""RouteLLM's matrix factorisation between two models. Runs in an environment of its own; imports nothing of ours.

`python learn.py SOURCE.npz CHOICES.json`. SOURCE.npz: features_ND of N prompts to learn from, quality_NM in [0, 1],
test_KD, pair_2 (columns of the strong and of the weak model), seed. CHOICES.json: setting -> the column chosen on each
test prompt.

The package's training script is run as it stands, with the settings of its example, on the pairs in which one of the
two models did better; its evaluator's prompts are the script's own twentieth. Its router then asks the package's model
for the win rate of the strong one. The package asks OpenAI for a prompt's vector: that call is answered with ours.
"""

import contextlib
import json
import os
import random
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

# importing the package makes a client, which is never used
os.environ.setdefault("OPENAI_API_KEY", "none")

import numpy as np
import torch
from routellm.routers.matrix_factorization import model as deployed
from routellm.routers.matrix_factorization import train_matrix_factorization as training

STRONG, WEAK = "gpt-4-1106-preview", "mixtral-8x7b-instruct-v0.1"
"""The package's names of its strong and its weak model: rows of its table of models."""
DIM, BATCH, EPOCHS, NOISE, RATE, DECAY = 128, 64, 100, 0.1, 3e-4, 1e-5


def main(source: str, target: str) -> None:
    """Choices on the test prompts at a win rate of one half, and with half of the prompts to the strong model."""
    given = dict(np.load(source))
    strong, weak = (int(column) for column in given["pair_2"])
    learn_ND = given["features_ND"].astype(np.float32)
    seed = int(given["seed"])
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the package draws from the global state
    torch.manual_seed(seed)
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stderr(nowhere):
        router = _trained(learn_ND, given["quality_NM"][:, strong], given["quality_NM"][:, weak])
    rate_N, rate_K = _win_rates(router, learn_ND), _win_rates(router, given["test_KD"].astype(np.float32))
    settings = {"MF": 0.5, "MF, half to the strong": float(np.median(rate_N))}
    chosen = {name: np.where(rate_K >= least, strong, weak).tolist() for name, least in settings.items()}
    with open(target, "w", encoding="utf-8") as file:
        json.dump(chosen, file)


def _trained(learn_ND: np.ndarray, strong_N: np.ndarray, weak_N: np.ndarray) -> deployed.MFModel:
    """The package's model, trained by the package's loop."""
    pairs = [
        {
            "model_a": STRONG,
            "model_b": WEAK,
            "idx": row,
            "winner": "model_a" if strong_N[row] > weak_N[row] else "model_b",
        }
        for row in np.flatnonzero(strong_N != weak_N).tolist()
    ]
    random.shuffle(pairs)
    cut = int(len(pairs) * 0.95)
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "vectors.npy", learn_ND)
        net = training.MFModel_Train(
            dim=DIM,
            num_models=len(training.MODEL_IDS),
            num_prompts=len(learn_ND),
            text_dim=learn_ND.shape[1],
            use_proj=True,
            npy_path=str(Path(folder) / "vectors.npy"),
        )
    training.train_loops(
        net,
        training.PairwiseDataset(pairs[:cut]).get_dataloaders(batch_size=BATCH, shuffle=True),
        training.PairwiseDataset(pairs[cut:]).get_dataloaders(1024, shuffle=False),
        lr=RATE,
        weight_decay=DECAY,
        alpha=NOISE,
        num_epochs=EPOCHS,
        device="cpu",
    )
    weights = net.state_dict()
    found = deployed.MFModel(DIM, len(training.MODEL_IDS), learn_ND.shape[1], 1, True)
    # the package's deployed model has the same layers in containers of one, without the vectors of training
    found.load_state_dict(
        {
            "P.weight": weights["P.weight"],
            "text_proj.0.weight": weights["text_proj.weight"],
            "classifier.0.weight": weights["classifier.weight"],
        }
    )
    return found.eval()


def _win_rates(router: deployed.MFModel, prompts_KD: np.ndarray) -> np.ndarray:
    """How probably the strong model does better on each prompt, shape (K,)."""

    def create(input: list[str], model: str) -> SimpleNamespace:
        del model
        return SimpleNamespace(data=[SimpleNamespace(embedding=prompts_KD[int(input[0])].tolist())])

    deployed.OPENAI_CLIENT = SimpleNamespace(embeddings=SimpleNamespace(create=create))
    ids = training.MODEL_IDS[STRONG], training.MODEL_IDS[WEAK]
    return np.array([router.pred_win_rate(*ids, str(row)) for row in range(len(prompts_KD))])


if __name__ == "__main__":
    main(*sys.argv[1:3])
