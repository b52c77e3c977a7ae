"""Whether a bundle's numbers can be computed with at all: a router that loads must not fail on every request after."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pointsman.errors import BundleError
from pointsman.text.features import FeatureMap


def check_features(feature_map: FeatureMap) -> None:
    """Refuses a feature map whose arrays don't fit one another, or hold what isn't a number.

    Raises:
        BundleError: a shape, type or value is impossible; the message names the array.
    """
    words, rank = _two(feature_map.lexical_VL, "lexical_VL")
    of_words, classes = _two(feature_map.class_VC, "class_VC")
    wanted = {
        "lexical_VL": (words, rank),
        "idf_V": (words,),
        "class_VC": (words, classes),
        "surface_mean_S": (classes + 1,),
        "surface_scale_S": (classes + 1,),
        "lexical_weight": (),
        "surface_weight": (),
    }
    for name, shape in wanted.items():
        array = np.asarray(getattr(feature_map, name))
        if array.shape != shape:
            raise BundleError(f"features.{name} must be {shape}, got {array.shape}")
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise BundleError(f"features.{name} must be finite numbers")
    if of_words != words or not words:
        raise BundleError(f"features.class_VC knows {of_words} word pieces, features.lexical_VL {words}")
    if not (np.asarray(feature_map.surface_scale_S) > 0).all():
        raise BundleError("features.surface_scale_S must be > 0")


def check_golden_rows(golden: Sequence[Mapping[str, Any]], candidates: Sequence[str]) -> None:
    """Refuses golden decisions that would check nothing.

    Raises:
        BundleError: there is none, or one lacks a prompt, a candidate or a finite quality of each candidate.
    """
    if not golden:
        raise BundleError("golden.jsonl has no decision to make again")
    for number, row in enumerate(golden, start=1):
        try:
            quality = [float(row["quality"][name]) for name in candidates]
            sound = isinstance(row["prompt"], str) and row["candidate"] in candidates
        except (KeyError, TypeError, ValueError):
            sound, quality = False, []
        if not sound or not all(math.isfinite(value) for value in quality):
            raise BundleError(f"golden.jsonl, line {number}: wants a prompt, a candidate and a finite quality of each")


def _two(array: Any, name: str) -> tuple[int, int]:
    if np.ndim(array) != 2:
        raise BundleError(f"features.{name} must have two axes, got shape {np.shape(array)}")
    return int(array.shape[0]), int(array.shape[1])
