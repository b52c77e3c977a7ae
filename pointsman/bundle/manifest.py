"""What a bundle is made of and who made it, as one JSON document that names its own content."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from pointsman.errors import BundleError
from pointsman.policy.policy import parse as parse_policy
from pointsman.text.conversation import DEFAULT, ConversationConfig
from pointsman.text.spec import EncoderSpec

SCHEMA = 6
"""Version of the bundle's form that this code writes and reads."""
MANIFEST = "manifest.json"
COMMON = ("golden.jsonl", "report.json", "router.safetensors")
"""Files of every bundle beside its manifest; those of its encoder are named by the encoder's specification."""
LARGEST_FILE = 2 * 1024**3
"""Bytes; a larger file isn't read."""
HEX = frozenset("0123456789abcdef")


class OlderSchema(BundleError):
    """A bundle of an older form, which only the version that wrote it can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model that the router may choose, with its prices."""

    model: str
    provider: str = ""
    input_usd_per_mtok: float | None = None
    """USD per million input tokens, >= 0; None: unknown."""
    output_usd_per_mtok: float | None = None
    """USD per million output tokens, >= 0; None: unknown."""
    context_window: int | None = None
    """Tokens of prompt and answer together, >= 1; None: unknown, not limited."""
    capabilities: tuple[str, ...] | None = None
    """What it can do, such as tools, vision or json; None: unknown, nothing is held against it."""
    retired: bool = False
    """No longer offered: it isn't chosen."""

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("a candidate needs a model name")
        for name in ("input_usd_per_mtok", "output_usd_per_mtok"):
            price = getattr(self, name)
            if price is not None and not 0 <= price < float("inf"):
                raise ValueError(f"{self.model}: {name} must be >= 0 and finite, got {price}")
        if self.context_window is not None and not self.context_window >= 1:
            raise ValueError(f"{self.model}: context_window must be >= 1 token, got {self.context_window}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a router comes from. No clock: the same training gives the same content, hence the same router_id."""

    candidates: tuple[Candidate, ...]
    """In the order of the router's columns; unique models."""
    prices_on: str | None = None
    """ISO date of the prices; None: unknown."""
    tasks: tuple[str, ...] = ()
    """Label of each task, in the order of the router's rows."""
    task_ids: tuple[str, ...] = ()
    """Lasting id of each task: the same from one retrain to the next where the task is."""
    operating_policy: str = "best"
    """The policy that the gate judged and that serves unless another is asked for, as the command line takes it."""
    asked_policy: str = "best"
    """What a person asked of it, such as parity."""
    conversation: ConversationConfig = DEFAULT
    """Which turns of a conversation made the prompts that it learnt from, and make those that it routes."""
    data_digests: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each training table, by name."""
    seeds: Mapping[str, int] = field(default_factory=dict)
    code_version: str = ""
    library_versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.candidates:
            raise ValueError("a router needs at least one candidate")
        models = [candidate.model for candidate in self.candidates]
        if len(set(models)) != len(models):
            raise ValueError(f"candidates must be unique, got {models}")
        if self.task_ids and len(self.task_ids) != len(self.tasks):
            raise ValueError(f"{len(self.task_ids)} task ids for {len(self.tasks)} tasks")
        parse_policy(self.operating_policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The content of manifest.json."""

    router_id: str
    """SHA-256 over the sorted file digests, the manifest's own (without router_id) among them."""
    files: Mapping[str, str]
    """SHA-256 of each file, by name."""
    sizes: Mapping[str, int]
    """Bytes of each file, by name: a larger one isn't read."""
    encoder: EncoderSpec
    provenance: Provenance
    schema: int = SCHEMA


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()


def make_manifest(files: Mapping[str, bytes], encoder: EncoderSpec, provenance: Provenance) -> Manifest:
    """The manifest of these files.

    Raises:
        BundleError: a file is missing, unknown or has an unsafe name.
    """
    check_names(files, encoder)
    digests = {name: sha256(files[name]) for name in sorted(files)}
    sizes = {name: len(files[name]) for name in sorted(files)}
    named = router_id(digests, sizes, encoder, provenance)
    return Manifest(router_id=named, files=digests, sizes=sizes, encoder=encoder, provenance=provenance)


def router_id(
    digests: Mapping[str, str], sizes: Mapping[str, int], encoder: EncoderSpec, provenance: Provenance
) -> str:
    """SHA-256 over the sorted lines `digest  name` of all files, as sha256sum prints them."""
    rest = {
        "schema": SCHEMA,
        "files": dict(digests),
        "sizes": dict(sizes),
        "encoder": encoder.to_document(),
        **_plain(provenance),
    }
    named = {**digests, MANIFEST: sha256(_canonical(rest))}
    return sha256("".join(sorted(f"{digest}  {name}\n" for name, digest in named.items())).encode())


def dump(manifest: Manifest) -> bytes:
    """The one byte string that stands for this manifest."""
    return _canonical(
        {
            "schema": manifest.schema,
            "router_id": manifest.router_id,
            "files": dict(manifest.files),
            "sizes": dict(manifest.sizes),
            "encoder": manifest.encoder.to_document(),
            **_plain(manifest.provenance),
        }
    )


def parse(content: bytes) -> Manifest:
    """A manifest from its bytes; any other spelling of the same content is refused.

    Raises:
        BundleError: not such a document, a newer schema, an unsafe file name, or a router_id that isn't its content's.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{MANIFEST} isn't JSON: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("schema"), int):
        raise BundleError(f"{MANIFEST} has no schema version")
    schema = document["schema"]
    if schema > SCHEMA:
        raise BundleError(
            f"the bundle has schema {schema}, this pointsman reads up to {SCHEMA}: install a newer pointsman"
        )
    if schema != SCHEMA:
        raise OlderSchema(f"the bundle has schema {schema}, this pointsman reads {SCHEMA} only: retrain to replace it")
    try:
        files = {str(name): str(digest) for name, digest in document["files"].items()}
        sizes = {str(name): _size(size) for name, size in document["sizes"].items()}
        known = {entry.name for entry in fields(Provenance)}
        rest = {name: document[name] for name in known}
        rest["candidates"] = tuple(_candidate(entry) for entry in document["candidates"])
        rest["tasks"], rest["task_ids"] = tuple(document["tasks"]), tuple(document["task_ids"])
        rest["conversation"] = ConversationConfig.from_document(document["conversation"])
        encoder = EncoderSpec.from_document(document["encoder"])
        named, provenance = document["router_id"], Provenance(**rest)
        manifest = Manifest(router_id=named, files=files, sizes=sizes, encoder=encoder, provenance=provenance)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(f"{MANIFEST} isn't of schema {SCHEMA}: {error}") from None
    check_names(files, encoder)
    if set(sizes) != set(files):
        raise BundleError(f"{MANIFEST} doesn't say how large each file is")
    if manifest.router_id != router_id(files, sizes, encoder, provenance) or dump(manifest) != content:
        raise BundleError(f"{MANIFEST} doesn't match its own router_id")
    return manifest


def _size(value: object) -> int:
    if type(value) is not int or not 0 <= value <= LARGEST_FILE:
        raise ValueError(f"a file has {value!r} bytes, at most {LARGEST_FILE} are read")
    return value


def check_names(names: Mapping[str, Any], encoder: EncoderSpec) -> None:
    """Refuses any set of names but the bundle's own, so that none can leave its folder.

    Raises:
        BundleError: a name is unsafe, unknown or missing.
    """
    for name in names:
        if not name or name in {".", ".."} or any(mark in name for mark in ("/", "\\", ":", "\0")):
            raise BundleError(f"unsafe file name {name!r}")
    wanted = {*COMMON, *encoder.files}
    if unknown := sorted(set(names) - wanted):
        raise BundleError(f"unknown files: {', '.join(unknown)}")
    if missing := sorted(wanted - set(names)):
        raise BundleError(f"missing files: {', '.join(missing)}")


def is_router_id(text: object) -> bool:
    """Whether this is the name of a bundle.

    >>> is_router_id("../../etc"), is_router_id("a" * 64)
    (False, True)
    """
    return isinstance(text, str) and len(text) == 64 and set(text) <= HEX


def _plain(provenance: Provenance) -> dict[str, Any]:
    plain = asdict(provenance)
    for name in ("candidates", "tasks", "task_ids"):
        plain[name] = list(plain[name])
    return plain


def _candidate(entry: Mapping[str, Any]) -> Candidate:
    able = entry.get("capabilities")
    return Candidate(**{**entry, "capabilities": None if able is None else tuple(able)})


def _canonical(document: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(document, sort_keys=True, indent=1, ensure_ascii=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BundleError(f"{MANIFEST} can't be written as JSON: {error}") from None
    return text.encode() + b"\n"
