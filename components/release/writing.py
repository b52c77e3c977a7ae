"""Writes a router as a bundle: a folder named by its content, read by `pointsman.bundle.reading`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from pointsman.bundle.evidence import Evidence, no_evidence
from pointsman.bundle.manifest import MANIFEST, Provenance, dump, make_manifest
from pointsman.bundle.reading import EVIDENCE, FEATURES, LATENCY, MODEL, check_sizes, is_whole
from pointsman.durable import mend_folder, place_folder
from pointsman.errors import BundleError
from pointsman.model.latency import LatencyHead
from pointsman.model.router_model import RouterModel
from pointsman.text.encoder import read_spec
from pointsman.text.features import FeatureMap


def write_bundle(  # the parts, in the order in which they are made
    folder: Path,
    model: RouterModel,
    feature_map: FeatureMap,
    encoder_folder: Path,
    provenance: Provenance,
    report: Mapping[str, Any],
    golden: Sequence[Mapping[str, Any]],
    evidence: Evidence | None = None,
    latency: LatencyHead | None = None,
) -> str:
    """Writes `folder/<router_id>` at once and returns the router_id; writing the same content again changes nothing.

    A damaged bundle of the same router_id is mended.

    Args:
        folder: where bundles are collected.
        model: the trained router.
        feature_map: what it was trained on.
        encoder_folder: holds encoder.json and the files that it names.
        provenance: candidates, tasks, digests, seeds and versions.
        report: the evaluation, plain JSON without nan.
        golden: rows from `Router.golden`.
        evidence: what its predictions rest on; None: nothing is known of that.
        latency: how long calls take; None: nobody was timed.

    Raises:
        BundleError: parts that don't belong together, or content that isn't plain.
        OSError: the encoder's files can't be read, or the bundle can't be written.
    """
    encoder = read_spec(encoder_folder)
    known = evidence or no_evidence(*model.task_quality_TM.shape)
    files = {
        **{name: (encoder_folder / name).read_bytes() for name in encoder.files},
        "router.safetensors": safetensors.numpy.save(_arrays(model, feature_map, known, latency)),
        "report.json": _json(report, indent=1),
        "golden.jsonl": b"".join(_json(row) for row in golden),
    }
    manifest = make_manifest(files, encoder, provenance)
    check_sizes(model, feature_map, manifest)
    target = folder / manifest.router_id
    if not target.exists():
        place_folder(target, {**files, MANIFEST: dump(manifest)})
    elif not is_whole(target):
        mend_folder(target, {**files, MANIFEST: dump(manifest)})
    return manifest.router_id


def _arrays(
    model: RouterModel, feature_map: FeatureMap, evidence: Evidence, latency: LatencyHead | None
) -> dict[str, NDArray[Any]]:
    arrays = {f"{MODEL}{name}": array for name, array in model.to_arrays().items()}
    for entry in fields(feature_map):
        array = np.asarray(getattr(feature_map, entry.name))
        # ascontiguousarray makes scalars flat
        arrays[f"{FEATURES}{entry.name}"] = np.ascontiguousarray(array).reshape(array.shape)
    for entry in fields(evidence):
        arrays[f"{EVIDENCE}{entry.name}"] = np.ascontiguousarray(getattr(evidence, entry.name))
    for entry in fields(latency) if latency is not None else ():
        arrays[f"{LATENCY}{entry.name}"] = np.ascontiguousarray(getattr(latency, entry.name))
    return arrays


def _json(document: Mapping[str, Any], indent: int | None = None) -> bytes:
    try:
        return json.dumps(document, sort_keys=True, indent=indent, allow_nan=False).encode() + b"\n"
    except (TypeError, ValueError) as error:
        raise BundleError(f"not plain JSON: {error}") from None
