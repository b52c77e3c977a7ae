"""The published form of a router: a folder named by its content, without pickle, verified file by file.

Integrity, not authorship: whoever can write the folder can make a whole new bundle. Publish where only trusted hands
write, or sign what is published and give readers the key.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from pointsman.bundle.evidence import Evidence
from pointsman.bundle.manifest import MANIFEST, Manifest, dump, is_router_id, parse, sha256
from pointsman.bundle.plain import read_plain
from pointsman.bundle.pointer import resolve
from pointsman.bundle.signature import SIGNATURE, Trust, read_signature
from pointsman.bundle.soundness import check_features, check_golden_rows
from pointsman.errors import BundleError
from pointsman.model.latency import LatencyHead
from pointsman.model.router_model import RouterModel
from pointsman.policy.eligibility import Facts
from pointsman.text.encoder import Encoder, EncoderError
from pointsman.text.features import FeatureMap

MODEL, FEATURES, EVIDENCE, LATENCY = "model.", "features.", "evidence.", "latency."
LARGEST_MANIFEST = 16 * 1024**2
"""Bytes of manifest.json."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundle:
    """A verified bundle in memory."""

    folder: Path
    manifest: Manifest
    encoder_files: Mapping[str, bytes]
    """The encoder's weights and tokenizer.json, by name."""
    model: RouterModel
    feature_map: FeatureMap
    evidence: Evidence
    latency: LatencyHead | None
    """None: nobody was timed."""
    report: Mapping[str, Any]
    golden: tuple[Mapping[str, Any], ...]
    """Inputs with the decisions that the router must make on them."""

    def encoder(self, threads: int | None = None) -> Encoder:
        """The encoder, from the bytes that were verified.

        Args:
            threads: prompts that a graph encodes at a time; None: one a processor.

        Raises:
            BundleError: it can't be loaded.
        """
        try:
            return Encoder.from_files(self.manifest.encoder, self.encoder_files, threads)
        except EncoderError as error:
            raise BundleError(f"{self.folder}: {error}") from error

    def facts(self) -> Facts:
        """What is known of each candidate beside its quality and cost."""
        candidates = self.manifest.provenance.candidates
        return Facts(
            window_M=np.array([float("inf") if c.context_window is None else c.context_window for c in candidates]),
            capabilities_M=tuple(None if c.capabilities is None else frozenset(c.capabilities) for c in candidates),
            retired_M=np.array([c.retired for c in candidates], dtype=np.bool_),
            latency=self.latency,
        )


def read_bundle(path: Path, trust: Trust | None = None) -> Bundle:
    """A bundle whose every byte was checked.

    Args:
        path: its folder.
        trust: who must have signed it; None: nobody.

    Raises:
        BundleError: anything is missing, unknown, changed, unsafe, of a newer form or not signed as it must be.
    """
    manifest, files = read_files(path, trust)
    try:
        arrays = safetensors.numpy.load(files["router.safetensors"])
        report = json.loads(files["report.json"])
        golden = tuple(json.loads(line) for line in files["golden.jsonl"].splitlines())
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise BundleError(f"{path}: {error}") from None
    model, features, rest, latency = (
        {name.removeprefix(part): array for name, array in arrays.items() if name.startswith(part)}
        for part in (MODEL, FEATURES, EVIDENCE, LATENCY)
    )
    if len(model) + len(features) + len(rest) + len(latency) != len(arrays):
        raise BundleError(f"{path}: router.safetensors has arrays of no part that is known")
    try:
        bundle = Bundle(
            folder=path,
            manifest=manifest,
            encoder_files={name: files[name] for name in manifest.encoder.files},
            model=RouterModel.from_arrays(model),
            feature_map=FeatureMap(**features),
            evidence=Evidence(**rest),
            latency=LatencyHead(**latency) if latency else None,
            report=report,
            golden=golden,
        )
    except (TypeError, ValueError) as error:
        raise BundleError(f"{path}: {error}") from None
    check_features(bundle.feature_map)
    check_sizes(bundle.model, bundle.feature_map, manifest)
    check_golden_rows(golden, [candidate.model for candidate in manifest.provenance.candidates])
    if bundle.evidence.count_TM.shape != bundle.model.task_quality_TM.shape:
        raise BundleError(f"{path}: evidence of {bundle.evidence.count_TM.shape} tasks and candidates")
    tasks, candidates = bundle.model.task_quality_TM.shape
    if bundle.latency is not None and bundle.latency.centre_SM.shape != (tasks + 1, candidates):
        raise BundleError(f"{path}: latency of {bundle.latency.centre_SM.shape}, want {(tasks + 1, candidates)}")
    return bundle


def read_report(path: Path) -> dict[str, Any]:
    """The evaluation of a bundle, or of the one in service of a published root; the whole bundle is verified.

    Raises:
        BundleError: anything is missing, unknown, changed, unsafe or of a newer form.
    """
    _, files = read_files(resolve(path))
    report = json.loads(files["report.json"])
    if not isinstance(report, dict):
        raise BundleError(f"{path}: report.json is no object")
    return report


def read_files(path: Path, trust: Trust | None = None) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest and the verified content of every file that it names.

    Args:
        path: the bundle's folder.
        trust: who must have signed it; None: nobody.

    Raises:
        BundleError: anything is missing, unknown, changed, unsafe, of a newer form or not signed as it must be.
    """
    try:
        # what the system puts there, such as .DS_Store or .nfs000001, isn't read
        names = sorted(name for name in os.listdir(path) if not name.startswith("."))
    except OSError as error:
        raise BundleError(f"{path} is no bundle: {error.strerror}") from None
    if MANIFEST not in names:
        raise BundleError(f"{path}: missing files: {MANIFEST}")
    content = _read(path / MANIFEST, LARGEST_MANIFEST)
    if trust is not None:
        trust.check(content, read_signature(path), path)
    try:
        manifest = parse(content)
    except BundleError as error:
        # the folder names the router
        raise type(error)(f"{path}: {error}") from None
    wanted = {*manifest.files, MANIFEST}
    if unknown := sorted(set(names) - wanted - {SIGNATURE}):
        raise BundleError(f"{path}: unknown files: {', '.join(unknown)}")
    if missing := sorted(wanted - set(names)):
        raise BundleError(f"{path}: missing files: {', '.join(missing)}")
    if is_router_id(path.name) and path.name != manifest.router_id:
        raise BundleError(f"{path} holds another router than it is named for: {manifest.router_id}")
    return manifest, verified_files(
        manifest, {name: _read(path / name, manifest.sizes[name]) for name in manifest.files}, path
    )


def copy_files(path: Path) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest and every verified file of a bundle as it lies there, its manifest and signature too: for copies.

    Raises:
        BundleError: as `read_files`.
    """
    manifest, files = read_files(path)
    signature = read_signature(path)
    return manifest, {**files, MANIFEST: dump(manifest)} | ({} if signature is None else {SIGNATURE: signature})


def is_whole(folder: Path) -> bool:
    """Whether this is a bundle whose every file is as it was written, under its own name."""
    try:
        manifest, _ = read_files(folder)
    except BundleError:
        return False
    return manifest.router_id == folder.name


def verified_files(manifest: Manifest, files: dict[str, bytes], where: object) -> dict[str, bytes]:
    """The files again, each of which is the one that the manifest names.

    Raises:
        BundleError: one isn't; `where` says of what.
    """
    for name, content in files.items():
        if sha256(content) != manifest.files[name]:
            raise BundleError(f"{where}/{name} isn't the file that its manifest names")
    return files


def _read(path: Path, largest: int) -> bytes:
    try:
        return read_plain(path, largest)
    except FileNotFoundError:
        raise BundleError(f"{path} is gone") from None


def check_sizes(model: RouterModel, feature_map: FeatureMap, manifest: Manifest) -> None:
    """Refuses a router whose tasks, candidates or embeddings aren't those of its manifest.

    Raises:
        BundleError: the numbers differ.
    """
    tasks, candidates = model.task_quality_TM.shape
    named = manifest.provenance
    if candidates != len(named.candidates):
        raise BundleError(f"the router has {candidates} candidates, its manifest {len(named.candidates)}")
    if named.tasks and tasks != len(named.tasks):
        raise BundleError(f"the router has {tasks} tasks, its manifest {len(named.tasks)}")
    dimension = manifest.encoder.dimension
    if model.novelty.centroid_CD.shape[1:] != (dimension,):
        raise BundleError(
            f"the router has reference points of shape {model.novelty.centroid_CD.shape}, its encoder {dimension} "
            "dimensions"
        )
    features = dimension + feature_map.lexical_VL.shape[-1] + feature_map.surface_mean_S.size
    if model.classifier.hidden_FH.shape[0] != features or model.experts.trunk_FH.shape[0] != features:
        raise BundleError(f"the router's weights don't fit the {features} features of its encoder and feature map")
