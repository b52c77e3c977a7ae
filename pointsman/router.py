"""Routing with a published bundle: the Python interface of a gateway. numpy, tokenizers, safetensors."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.bundle.evidence import Evidence, no_evidence
from pointsman.bundle.location import local_folder
from pointsman.bundle.prices import Price, with_prices
from pointsman.bundle.reading import read_bundle
from pointsman.bundle.signature import Trust
from pointsman.golden import CHECKED_ROWS, check_golden, golden_rows
from pointsman.model.folded.fold import fold
from pointsman.model.prediction import Prediction
from pointsman.model.router_model import RouterModel
from pointsman.policy.among import decide_eligible
from pointsman.policy.eligibility import ANY, Facts, Wanted, constrained, eligible, unlimited, wanted_of
from pointsman.policy.policy import Best, Policy, decide, form, parse
from pointsman.policy.ranking import rank
from pointsman.routing import Routing
from pointsman.text.conversation import DEFAULT, ConversationConfig
from pointsman.text.encoder import Encodes
from pointsman.text.features import FeatureMap
from pointsman.text.lengths import estimated_tokens, lengths
from pointsman.text.tokens import Tokens
from pointsman.text.valid import require_texts

OPERATING = "operating"
"""Name of the policy that a bundle declares."""


class Router:
    """Routes prompts to candidates. Holds no mutable state: any number of threads may share one.

    `Router.load` reads a published one; the parts alone make one that isn't published yet, to evaluate it and to write
    down its golden decisions.

    Raises:
        ValueError: not one name a candidate.
    """

    __slots__ = (
        *("_encoder", "_fallback", "_feature_map", "_folded", "_general_quality_M", "_largest_margin"),
        *("asked_policy", "candidates", "conversation", "evidence", "facts"),
        *("operating_policy", "prices", "router_id", "task_ids", "tasks"),
    )

    def __init__(
        self,
        model: RouterModel,
        feature_map: FeatureMap,
        encoder: Encodes,
        candidates: Sequence[str],
        *,
        tasks: Sequence[str] = (),
        router_id: str = "",
        operating_policy: str = "best",
        asked_policy: str = "best",
        task_ids: Sequence[str] = (),
        evidence: Evidence | None = None,
        facts: Facts | None = None,
        conversation: ConversationConfig = DEFAULT,
        prices: Mapping[str, Price] | None = None,
    ) -> None:
        if len(candidates) != model.general_quality_M.shape[0]:
            raise ValueError(f"{len(candidates)} names for {model.general_quality_M.shape[0]} candidates")
        self._folded = fold(model)
        self._general_quality_M = model.general_quality_M
        self._fallback = int(model.fallback)
        self._largest_margin = model.largest_margin()
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
        self.prices = dict(prices or {})
        """What costs are expected by, of candidates whose prices are known."""

    @classmethod
    def load(
        cls,
        path: str | Path,
        threads: int | None = None,
        cache: Path | None = None,
        prices: Path | None = None,
        trust: Trust | None = None,
    ) -> "Router":
        """The router of a bundle, or the one in service of a published root.

        Args:
            path: a bundle's folder, or a folder with current.json; or the fsspec URL of either.
            threads: of the encoder; None: one a processor.
            cache: where bundles from URLs are kept; None: ~/.cache/pointsman.
            prices: a file of prices that go before the bundle's, see `read_prices`; None: the bundle's.
            trust: who must have signed the router, such as `PublicKeys.read(path)` of `pointsman.bundle.keys`; None:
                nobody.

        Raises:
            BundleError: the bundle isn't whole, decides otherwise than when it was made, or isn't signed as it must be.
            ValueError: the file of prices can't be read, or holds a price that can't be.
        """
        bundle = read_bundle(local_folder(path, cache, trust), trust)
        provenance = bundle.manifest.provenance
        model, priced = with_prices(bundle.model, provenance.candidates, prices)
        router = cls(
            model,
            bundle.feature_map,
            bundle.encoder(threads),
            [candidate.model for candidate in provenance.candidates],
            tasks=provenance.tasks,
            router_id=bundle.manifest.router_id,
            operating_policy=provenance.operating_policy,
            asked_policy=provenance.asked_policy,
            task_ids=provenance.task_ids,
            evidence=bundle.evidence,
            facts=bundle.facts(),
            conversation=provenance.conversation,
            prices=priced,
        )
        check_golden(bundle.golden[:CHECKED_ROWS], router._best, router._largest_margin)
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
        policy: str | Policy | None = OPERATING,
        among: Sequence[str] | None = None,
        *,
        exclude: Sequence[str] | None = (),
        requires: Sequence[str] | None = (),
        max_output_tokens: int = 0,
    ) -> Routing:
        """The choice for each prompt.

        Args:
            prompts: N texts; may be empty.
            policy: operating (what the bundle declares), best, budget=USD (for all prompts together), quality=Q,
                tradeoff=W, tolerance=T, or a Policy; a name may be followed by a constraint, best,latency<=MS. None:
                operating.
            among: names of the candidates that may be chosen, compared as tables keep them; None: all.
            exclude: names of those that may not; None: as none.
            requires: capabilities that the choice must have, such as tools or vision; None: as none.
            max_output_tokens: of the answer: with the prompt they must fit into the choice's context window.

        Raises:
            ValueError: a prompt that is no text, no such policy or candidate, a policy that can't be kept (costs
                unknown, budget too small), or no candidate is left for a prompt; the message says which rule removed
                whom.
        """
        if isinstance(prompts, str):
            raise ValueError("prompts must be a sequence of texts, not one text")
        wanted = wanted_of(among, exclude, requires, max_output_tokens)
        if isinstance(policy, str):
            policy, wanted = constrained(policy, wanted)
        parsed = self.policy(policy)
        return self.choose(self.predict(prompts), parsed, wanted)

    def policy(self, asked: str | Policy | None) -> Policy:
        """The policy of a name: `operating` is what the bundle declares, and so is what was asked of it, `parity`.

        Raises:
            ValueError: no such policy.
        """
        if isinstance(asked, Policy):
            return asked
        if asked is not None and not isinstance(asked, str):
            raise ValueError(f"policy must be a name or a Policy, is {type(asked).__name__}")
        if asked in (None, OPERATING, self.asked_policy):
            return parse(self.operating_policy)
        if asked == "parity":
            raise ValueError("this router wasn't made for parity: retrain with --policy parity, or say tradeoff=W")
        return parse(asked)

    def encode(self, prompts: Sequence[str]) -> tuple[Tokens, NDArray[np.float32]]:
        """Tokens and embeddings, shape (N, D): what `predict_encoded` takes.

        Raises:
            ValueError: a prompt that is no text, or one with half of a surrogate pair.
        """
        require_texts(prompts)
        tokens = self._encoder.tokenize(prompts)
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
            read_N = prediction.input_tokens_N
            tokens_N = np.zeros(prediction.task_N.shape, dtype=np.int64) if read_N is None else read_N
            eligible_NM, removed = eligible(self.candidates, self.facts, wanted, tokens_N, prediction.task_N)
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
            eligible_NM=eligible_NM,
            task_ids=self.task_ids,
        )

    def golden(self, prompts: Sequence[str]) -> list[dict[str, Any]]:
        """Rows that a bundle keeps, to be decided again on loading: prompt, candidate and predicted quality."""
        return golden_rows(prompts, self._best(prompts))

    def _best(self, prompts: Sequence[str]) -> Routing:
        return self.choose(self.predict(prompts), Best(), None)
