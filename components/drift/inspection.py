"""A published router looks at recent prompts: is the world still the one it was trained on?"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from components.drift.config import DriftConfig
from components.drift.detect import DriftReport, detect
from components.drift.recent import DriftInputError, Recent
from components.drift.reference import Reference
from components.drift.sight import see_embeddings, see_texts
from pointsman.bundle.reading import Bundle
from pointsman.text.encoder import Encoder

Embed = Callable[[Encoder, Sequence[str]], NDArray[np.float32]]
"""Unit vectors of prompts, for instance through a cache."""


def inspect(
    bundle: Bundle,
    reference: Reference,
    recent: Recent,
    config: DriftConfig,
    seed: int,
    embed: Embed = Encoder.encode,
) -> DriftReport:
    """Compares recent prompts with what this router was trained on.

    Args:
        bundle: the router.
        reference: made when it was trained.
        recent: texts or embeddings.
        config: thresholds.
        seed: of samples, permutations and resamples.
        embed: used where the texts are known.

    Raises:
        DriftInputError: embeddings of another width than the router's.
        ValueError: too few prompts.
    """
    labels, models = _names(bundle)
    width = reference.embedding_KD.shape[1]
    if recent.prompts is not None:
        encoder = bundle.encoder()
        tokens = encoder.tokenize(recent.prompts)
        vectors_ND = embed(encoder, recent.prompts)
        sight = see_texts(bundle.model, bundle.feature_map, recent.prompts, vectors_ND, tokens, reference)
    else:
        assert recent.embedding_ND is not None  # noqa: S101  # either texts or embeddings
        if recent.embedding_ND.shape[1] != width:
            raise DriftInputError(
                f"{recent.source}: embeddings have {recent.embedding_ND.shape[1]} dimensions, "
                f"the router's encoder has {width}"
            )
        sight = see_embeddings(bundle.model.novelty, recent.embedding_ND, reference)
    found = detect(sight, labels, recent.observed(models), models, config, seed, recent.conversation_N)
    return replace(found, period=recent.period, unknown=recent.unknown(models))


def _names(bundle: Bundle) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Labels of the tasks, numbers where they have none, and names of the candidates."""
    provenance = bundle.manifest.provenance
    tasks = bundle.model.task_quality_TM.shape[0]
    labels = tuple(provenance.tasks) or tuple(f"task {task}" for task in range(tasks))
    return labels, tuple(candidate.model for candidate in provenance.candidates)
