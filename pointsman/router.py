"""Routing with a published bundle: the Python interface of a gateway. numpy, tokenizers, safetensors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pointsman.bundle.evidence import Evidence, no_evidence
from pointsman.bundle.manifest import Candidate
from pointsman.bundle.pointer import is_url, resolve
from pointsman.bundle.reading import read_bundle
from pointsman.errors import BundleError
from pointsman.model.folded.fold import fold
from pointsman.model.prediction import Prediction
from pointsman.model.router_model import RouterModel
from pointsman.policy.eligibility import ANY, Facts, Wanted, decide_eligible, eligible, unlimited
from pointsman.policy.policy import Best, Policy, decide, form, parse
from pointsman.policy.ranking import rank
from pointsman.text.conversation import DEFAULT, ConversationConfig
from pointsman.text.features import FeatureMap
from pointsman.text.lengths import READ_CHARACTERS, estimated_tokens
from pointsman.text.tokens import Tokens

OPERATING = "operating"
"""Name of the policy that a bundle declares."""
GOLDEN_ROWS = 8
"""Golden decisions that loading makes again."""
GOLDEN_TOLERANCE = 0.02
"""Predicted quality may differ by so much between processors, whose int8 kernels round differently."""


class Encodes(Protocol):
    """What a router needs of an encoder."""

    def encode_tokens(self, tokens: Tokens) -> NDArray[np.float32]:
        """Unit rows, shape (N, D)."""

    def tokenize(self, prompts: Sequence[str]) -> Tokens:
        """Token ids of N prompts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Routing:
    """Decisions on N prompts and M candidates, in the prompts' order."""

    candidates: tuple[str, ...]
    """Names of the M candidates: columns of quality_NM and cost_usd_NM."""
    tasks: tuple[str, ...]
    """Labels of the tasks; empty where they have none."""
    choice_N: NDArray[np.intp]
    """Index of the chosen candidate."""
    task_N: NDArray[np.int32]
    """Task of each prompt; -1: unassigned."""
    quality_NM: NDArray[np.float64]
    """Calibrated expected quality, in [0, 1]."""
    cost_usd_NM: NDArray[np.float64]
    """Expected USD per call; nan: unknown."""
    reason_N: NDArray[np.str_]
    """'task', 'general', 'doubt' or 'novel'."""
    margin_N: NDArray[np.float64]
    """Quality by which a candidate must be better than the best single one to be chosen for it."""
    novel_N: NDArray[np.bool_]
    """The prompt is unlike any that the router was trained on."""
    policy: str
    """What decided, as the command line takes it."""
    ranked_NM: NDArray[np.intp]
    """Columns of the candidates to ask, the choice first, then whom to ask if it fails; -1: not eligible."""
    removed: Mapping[str, NDArray[np.bool_]]
    """Whom each rule of eligibility removed, shape (N, M), rules in their order; empty where nobody was."""
    task_ids: tuple[str, ...] = ()
    """Lasting ids of the tasks; empty where they have none."""

    def __len__(self) -> int:
        return int(self.choice_N.shape[0])

    @property
    def candidate(self) -> list[str]:
        """Name of each prompt's choice."""
        return [self.candidates[choice] for choice in self.choice_N]

    @property
    def task(self) -> list[dict[str, str] | None]:
        """Lasting id and label of each prompt's task; None: unassigned."""
        known: dict[int, dict[str, str]] = {}
        for task in set(self.task_N.tolist()) - {-1}:
            name = self.task_ids[task] if self.task_ids else str(task)
            known[task] = {"id": name, "label": self.tasks[task] if self.tasks else name}
        return [known.get(task) for task in self.task_N.tolist()]

    def ranked(self, row: int) -> list[str]:
        """Names of the candidates to ask on one prompt, the choice first, then whom to ask if it fails."""
        return [self.candidates[column] for column in self.ranked_NM[row].tolist() if column >= 0]

    @property
    def predicted_quality(self) -> NDArray[np.float64]:
        """Of the choice, shape (N,)."""
        return self.quality_NM[np.arange(len(self)), self.choice_N]

    @property
    def expected_cost_usd(self) -> NDArray[np.float64]:
        """Of the choice, shape (N,); nan: unknown."""
        return self.cost_usd_NM[np.arange(len(self)), self.choice_N]

    def scores(self, row: int) -> list[dict[str, str | float | None]]:
        """Every candidate's expected quality and cost on one prompt; cost None: unknown."""
        pairs = zip(self.candidates, self.quality_NM[row].tolist(), self.cost_usd_NM[row].tolist(), strict=True)
        return [{"candidate": name, "quality": quality, "cost": _known(cost)} for name, quality, cost in pairs]

    @property
    def eligible_NM(self) -> NDArray[np.bool_] | None:
        """Which candidates a prompt may go to; None: all, for every prompt."""
        if not self.removed:
            return None
        return np.asarray(~np.any([*self.removed.values()], axis=0), dtype=np.bool_)

    def take(self, rows: slice) -> "Routing":
        """The decisions on neighbouring prompts."""
        arrays = {name: getattr(self, name)[rows] for name in _BY_PROMPT}
        return replace(self, **arrays, removed={rule: gone_NM[rows] for rule, gone_NM in self.removed.items()})

    @staticmethod
    def columns() -> list[str]:
        """Names of a decision's columns."""
        return [
            *("candidate", "ranked", "task", "predicted_quality", "expected_cost_usd"),
            *("margin", "reason", "policy", "scores"),
        ]

    def to_columns(self) -> dict[str, list[Any]]:
        """Plain lists by column, unknown costs and missing tasks None: for frames and JSON."""
        return {
            "candidate": self.candidate,
            "ranked": [self.ranked(row) for row in range(len(self))],
            "task": self.task,
            "predicted_quality": self.predicted_quality.tolist(),
            "expected_cost_usd": [_known(cost) for cost in self.expected_cost_usd.tolist()],
            "margin": self.margin_N.tolist(),
            "reason": self.reason_N.tolist(),
            "policy": [self.policy] * len(self),
            "scores": [self.scores(row) for row in range(len(self))],
        }


_BY_PROMPT = tuple(entry.name for entry in fields(Routing) if entry.name.endswith(("_N", "_NM")))
"""Arrays of a routing with a row for each prompt."""


def _known(cost: float) -> float | None:
    return cost if cost == cost else None  # noqa: PLR0124  # nan alone isn't itself


def local_folder(path: str | Path, cache: Path | None = None) -> Path:
    """The folder of a bundle, or of the one in service of a published root; downloaded first where `path` is a URL.

    Raises:
        BundleError: there is none, or a downloaded one isn't whole.
    """
    if not is_url(path):
        return resolve(Path(path))
    from pointsman.bundle.remote import fetch  # noqa: PLC0415  # fsspec is loaded for URLs alone

    return fetch(str(path), cache or Path.home() / ".cache" / "pointsman")


class Router:
    """Routes prompts to candidates. Holds no mutable state: any number of threads may share one."""

    __slots__ = (
        *("_encoder", "_fallback", "_feature_map", "_folded", "_general_quality_M", "_largest_margin"),
        *(
            "asked_policy",
            "candidates",
            "evidence",
            "conversation",
            "facts",
            "operating_policy",
            "router_id",
            "task_ids",
            "tasks",
        ),
    )

    def __init__(
        self,
        *,
        model: RouterModel,
        feature_map: FeatureMap,
        encoder: Encodes,
        candidates: Sequence[str],
        tasks: Sequence[str] = (),
        router_id: str = "",
        operating_policy: str = "best",
        asked_policy: str = "best",
        task_ids: Sequence[str] = (),
        evidence: Evidence | None = None,
        facts: Facts | None = None,
        conversation: ConversationConfig = DEFAULT,
    ) -> None:
        if len(candidates) != model.general_quality_M.shape[0]:
            raise ValueError(f"{len(candidates)} names for {model.general_quality_M.shape[0]} candidates")
        self._folded = fold(model)
        self._general_quality_M = model.general_quality_M
        self._fallback = int(model.fallback)
        self._largest_margin = float(model.margin(np.ones(1))[0])
        self._feature_map = feature_map
        self._encoder = encoder
        self.tasks = tuple(tasks)
        self.candidates: tuple[str, ...] = tuple(candidates)
        self.router_id = router_id
        self.operating_policy = operating_policy
        self.asked_policy = asked_policy
        self.task_ids = tuple(task_ids)
        self.evidence = evidence or no_evidence(*model.task_quality_TM.shape)
        self.facts = facts or Facts.unknown(len(candidates))
        self.conversation = conversation
        """Which turns of a conversation make the prompt: for `pointsman.text.conversation.routed_messages`."""

    @classmethod
    def from_parts(
        cls,
        model: RouterModel,
        feature_map: FeatureMap,
        encoder: Encodes,
        candidates: Sequence[str],
        tasks: Sequence[str] = (),
        evidence: Evidence | None = None,
    ) -> "Router":
        """A router that isn't published yet, to evaluate it and to write down its golden decisions.

        Raises:
            ValueError: not one name a candidate.
        """
        return cls(
            model=model,
            feature_map=feature_map,
            encoder=encoder,
            candidates=candidates,
            tasks=tasks,
            evidence=evidence,
        )

    @classmethod
    def load(cls, path: str | Path, threads: int | None = None, cache: Path | None = None) -> "Router":
        """The router of a bundle, or the one in service of a published root.

        Args:
            path: a bundle's folder, or a folder with current.json; or the fsspec URL of either.
            threads: of the encoder; None: one a processor.
            cache: where bundles from URLs are kept; None: ~/.cache/pointsman.

        Raises:
            BundleError: the bundle isn't whole, or decides otherwise than when it was made.
        """
        bundle = read_bundle(local_folder(path, cache))
        provenance = bundle.manifest.provenance
        router = cls(
            model=bundle.model,
            feature_map=bundle.feature_map,
            encoder=bundle.encoder(threads),
            candidates=[candidate.model for candidate in provenance.candidates],
            tasks=provenance.tasks,
            router_id=bundle.manifest.router_id,
            operating_policy=provenance.operating_policy,
            asked_policy=provenance.asked_policy,
            task_ids=provenance.task_ids,
            evidence=bundle.evidence,
            facts=_facts(provenance.candidates),
            conversation=provenance.conversation,
        )
        router.check_golden(bundle.golden[:GOLDEN_ROWS])
        return router

    @property
    def best_single(self) -> int:
        """Column of the best single candidate in training, which promises must be measured against."""
        return self._fallback

    @property
    def encoder_digest(self) -> str:
        """What the encoder is: routers of one digest can share their encodings; '' where it isn't known."""
        return str(getattr(self._encoder, "digest", ""))

    def route(
        self,
        prompts: Sequence[str],
        policy: str | Policy = OPERATING,
        among: Sequence[str] | None = None,
        *,
        exclude: Sequence[str] = (),
        requires: Sequence[str] = (),
        max_output_tokens: int = 0,
    ) -> Routing:
        """The choice for each prompt.

        Args:
            prompts: N texts; may be empty.
            policy: operating (what the bundle declares), best, budget=USD (for all prompts together), quality=Q,
                tradeoff=W, tolerance=T, or a Policy.
            among: names of the candidates that may be chosen; None: all.
            exclude: names of those that may not.
            requires: capabilities that the choice must have, such as tools or vision.
            max_output_tokens: of the answer: with the prompt they must fit into the choice's context window.

        Raises:
            ValueError: no such policy or candidate, a policy that can't be kept (costs unknown, budget too small), or
                no candidate is left for a prompt; the message says which rule removed whom.
        """
        if isinstance(prompts, str):
            raise ValueError("prompts must be a sequence of texts, not one text")
        wanted = Wanted(
            among=among if among is None or isinstance(among, str) else tuple(among),  # type: ignore[arg-type]
            exclude=exclude if isinstance(exclude, str) else tuple(exclude),  # type: ignore[arg-type]
            requires=requires if isinstance(requires, str) else tuple(requires),  # type: ignore[arg-type]
            max_output_tokens=max_output_tokens,
        )
        parsed = self.policy(policy)
        return self.choose(self.predict(prompts), parsed, wanted)

    def policy(self, asked: str | Policy) -> Policy:
        """The policy of a name: `operating` is what the bundle declares, and so is what was asked of it, `parity`.

        Raises:
            ValueError: no such policy.
        """
        if not isinstance(asked, str):
            return asked
        if asked in (OPERATING, self.asked_policy):
            return parse(self.operating_policy)
        if asked == "parity":
            raise ValueError("this router wasn't made for parity: retrain with --policy parity, or say tradeoff=W")
        return parse(asked)

    def encode(self, prompts: Sequence[str]) -> tuple[Tokens, NDArray[np.float32]]:
        """Tokens and embeddings, shape (N, D): what `predict_encoded` takes."""
        tokens = self._encoder.tokenize([prompt[:READ_CHARACTERS] for prompt in prompts])
        return tokens, self._encoder.encode_tokens(tokens)

    def predict(self, prompts: Sequence[str]) -> Prediction:
        """What is believed of each prompt before a policy chooses."""
        return self.predict_encoded(*self.encode(prompts), *lengths(prompts))

    def predict_encoded(
        self,
        tokens: Tokens,
        embedding_ND: NDArray[np.float32],
        read_N: NDArray[np.int64] | None = None,
        characters_N: NDArray[np.int64] | None = None,
    ) -> Prediction:
        """The same of prompts that are encoded already, shape (N, D).

        Args:
            tokens: of the prompts.
            embedding_ND: of the prompts.
            read_N: characters of each that were tokenised; None: all.
            characters_N: characters of all that a candidate is sent, see `estimated_tokens`.
        """
        features_NF = self._feature_map.transform(embedding_ND, tokens)
        input_tokens_N: NDArray[Any] = tokens.length_N
        if read_N is not None and characters_N is not None:
            input_tokens_N = estimated_tokens(tokens.length_N, read_N, characters_N)
        prediction = self._folded.predict(features_NF, embedding_ND, input_tokens_N)
        supported_NM = self.evidence.supported(prediction.task_N)
        return replace(prediction, input_tokens_N=input_tokens_N, supported_NM=supported_NM)

    def choose(self, prediction: Prediction, policy: Policy, wanted: Wanted | None = ANY) -> Routing:
        """The choice for each prompt of a prediction; where nothing is wanted (None), whatever is known of candidates.

        Raises:
            ValueError: a candidate that isn't known, a policy that can't be kept (costs unknown, budget too small), or
                no candidate is left for a prompt.
        """
        eligible_NM: NDArray[np.bool_] | None = None
        removed: dict[str, NDArray[np.bool_]] = {}
        if wanted is None or unlimited(self.facts, wanted):
            decision = decide(prediction, policy, fallback=self._fallback, models=self.candidates)
        else:
            tokens_N = prediction.input_tokens_N
            if tokens_N is None:
                tokens_N = np.zeros(prediction.task_N.shape, dtype=np.int64)
            eligible_NM, removed = eligible(self.candidates, self.facts, wanted, tokens_N)
            decision = decide_eligible(
                prediction,
                policy,
                eligible_NM,
                fallback=self._fallback,
                general_quality_M=self._general_quality_M,
                models=self.candidates,
            )
        quality_NM, cost_NM = prediction.quality_NM, prediction.cost_usd_NM
        return Routing(
            candidates=self.candidates,
            tasks=self.tasks,
            choice_N=decision.candidate_N,
            task_N=prediction.task_N,
            quality_NM=quality_NM,
            cost_usd_NM=cost_NM,
            reason_N=decision.reason_N,
            margin_N=np.where(prediction.novel_N, 1.0, prediction.margin_N),
            novel_N=prediction.novel_N,
            policy=form(policy),
            ranked_NM=rank(policy, decision.candidate_N, quality_NM, cost_NM, eligible_NM, prediction.supported_NM),
            removed=removed,
            task_ids=self.task_ids,
        )

    def golden(self, prompts: Sequence[str]) -> list[dict[str, Any]]:
        """Rows that a bundle keeps, to be decided again on loading: prompt, candidate and predicted quality."""
        routing = self.choose(self.predict(prompts), Best(), None)
        return [
            {"prompt": prompt, "candidate": candidate, "quality": dict(zip(self.candidates, row, strict=True))}
            for prompt, candidate, row in zip(prompts, routing.candidate, routing.quality_NM.tolist(), strict=True)
        ]

    def check_golden(self, golden: Sequence[Mapping[str, Any]]) -> None:
        """Decides golden rows again.

        A choice may differ only between candidates that were as good, within the tolerance.

        Raises:
            BundleError: a decision differs.
        """
        if not golden:
            return
        try:
            routing = self.choose(self.predict([row["prompt"] for row in golden]), Best(), None)
            expected_NM = np.array([[row["quality"][name] for name in self.candidates] for row in golden], dtype=float)
            wanted = [row["candidate"] for row in golden]
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"golden decisions can't be made again: {error}") from None
        # the guard prefers a fallback that is worse by a prompt's margin
        slack = 2 * GOLDEN_TOLERANCE + self._largest_margin
        gap_N = np.abs(routing.quality_NM - expected_NM).max(axis=1)
        for row, (name, chosen) in enumerate(zip(wanted, routing.candidate, strict=True)):
            near = abs(routing.predicted_quality[row] - expected_NM[row, self.candidates.index(name)])
            if not gap_N[row] <= GOLDEN_TOLERANCE or (name != chosen and near > slack):
                raise BundleError(
                    f"golden decision {row} differs: {name} expected, {chosen} chosen, quality off by {gap_N[row]:.3g}"
                )


def lengths(prompts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Characters of each prompt that are tokenised, and all of them."""
    characters_N = np.fromiter(map(len, prompts), dtype=np.int64, count=len(prompts))
    return np.minimum(characters_N, READ_CHARACTERS), characters_N


def _facts(candidates: Sequence[Candidate]) -> Facts:
    return Facts(
        window_M=np.array([float("inf") if c.context_window is None else c.context_window for c in candidates]),
        capabilities_M=tuple(None if c.capabilities is None else frozenset(c.capabilities) for c in candidates),
        retired_M=np.array([c.retired for c in candidates], dtype=np.bool_),
    )
