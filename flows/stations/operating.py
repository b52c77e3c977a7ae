"""Station 6, last step: the operating policy, and what it chooses on prompts that its parts hadn't seen."""

import json
from pathlib import Path

import numpy as np

from components.evaluation.operating import ParityConfig, parse_asked
from components.learning.fit import RouterConfig
from components.learning.judged import judge_learning
from components.learning.mixing import HeldOut
from components.learning.operating import counts, operate
from components.learning.router import LEARNING
from components.tables.board import Board
from components.tables.listing import listed
from flows.platform.arrays import load_arrays, load_named, save_arrays
from flows.platform.caching import cached_task
from flows.platform.references import DataRef, keep
from flows.stations.board import read_board, read_prompts
from flows.stations.train import seen_board
from pointsman.bundle.evidence import CHOICE, Evidence, prompt_digests
from pointsman.model.cost import CostSource
from pointsman.model.router_model import RouterModel


@cached_task(name="train: operating policy")
def choose_operating(
    *,
    tables: DataRef,
    laid_out: DataRef,
    classified: DataRef,
    specialised: DataRef,
    combined: DataRef,
    asked: str | None,
    margin: float,
    config: RouterConfig,
    seed: int,
) -> DataRef:
    """The declared policy, its cross-fitted choices, and what the bundle says of its evidence.

    Args:
        margin: the gate's against the best single candidate, so that what is chosen is likely to pass.
    """
    seen = seen_board(laid_out=laid_out, classified=classified)
    held = load_arrays(HeldOut, specialised.file("held.npz"))
    model = RouterModel.from_arrays(load_named(combined.file("router.npz")))
    expected_NM = model.cost.cost_usd(seen.features_NF, seen.input_tokens_N, held.task_N)
    judged = judge_learning(seen, held, expected_NM, seed)
    found = operate(
        held,
        seen,
        judged,
        expected_NM,
        int(model.fallback),
        asked=None if asked is None else parse_asked(asked),
        config=config,
        seed=seed,
        parity=ParityConfig(margin=margin),
    )
    texts, learnt = read_prompts(tables), read_board(laid_out).rows(*LEARNING)
    evidence = _evidence([texts[row] for row in learnt], seen, model, found.held_choice_N)
    declared = {"asked": found.asked.text(), "policy": found.chosen.text(), "loss": found.loss}

    def write(folder: Path) -> None:
        (folder / "operating.json").write_text(json.dumps(declared))
        np.save(folder / "held_choice.npy", found.held_choice_N)
        save_arrays(judged, folder / "judged.npz")
        save_arrays(evidence, folder / "evidence.npz")

    return keep("operating", write)


def cost_notices(combined: DataRef, models: tuple[str, ...]) -> list[str]:
    """What a person should know of candidates whose cost isn't known, or only supposed."""
    model = RouterModel.from_arrays(load_named(combined.file("router.npz")))
    return notices_of_costs(model.cost.source_M, models)


def notices_of_costs(source_M: np.ndarray, models: tuple[str, ...]) -> list[str]:
    """A line each on unknown and on supposed costs; none where no cost is known at all.

    >>> notices_of_costs(np.array([CostSource.UNKNOWN, CostSource.REGRESSION]), ("a", "b"))
    ['no cost is known of a: left out of policies that count cost']
    """
    unknown = [name for name, source in zip(models, source_M, strict=True) if source == CostSource.UNKNOWN]
    supposed = [name for name, source in zip(models, source_M, strict=True) if source == CostSource.ASSUMED_TOKENS]
    found = []
    if unknown and len(unknown) < len(models):
        found.append(f"no cost is known of {listed(unknown)}: left out of policies that count cost")
    if supposed:
        found.append(f"no token counts of {listed(supposed)}: priced as if answers were as long as the others'")
    return found


def _evidence(texts: list[str], seen: Board, model: RouterModel, choice_K: np.ndarray) -> Evidence:
    digest_K = prompt_digests(texts)
    first_K = np.unique(digest_K, return_index=True)[1]
    table, tasks = counts(seen), model.task_quality_TM.shape[0]
    by_task = np.zeros((tasks, table.shape[1]), dtype=np.int64)
    by_task[: len(table) - 1] = table[:-1]
    return Evidence(
        count_TM=by_task,
        count_M=table[-1],
        digest_K=digest_K[first_K],
        held_choice_K=choice_K[first_K].astype(CHOICE),
    )
