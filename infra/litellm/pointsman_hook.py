"""LiteLLM proxy hook: requests for the model `pointsman` go to the candidate that the router chooses.

Everything else of a request passes through untouched, and so do requests for any other model. What became of an answer
(tokens, cost, latency, error) goes into the decision log, if there is one.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import HTTPException

from pointsman.errors import BundleError
from pointsman.policy.eligibility import Wanted, constrained
from pointsman.policy.exploration import ExplorationConfig
from pointsman.serving.config import ServingConfig
from pointsman.serving.decision_log import DecisionLog, LogConfig
from pointsman.serving.in_service import InService
from pointsman.serving.jobs import Job, Piece, new_id
from pointsman.serving.meters import Meters
from pointsman.serving.paces import known_policy
from pointsman.serving.service import Service
from pointsman.text.conversation import (
    DEFAULT,
    ConversationConfig,
    ConversationError,
    RoutedRequest,
    ends_in_tool_loop,
    routed_request,
)
from pointsman.text.sent import request_characters

try:
    from litellm.integrations.custom_logger import CustomLogger
except ImportError:  # the hook can be read and tested without the proxy
    CustomLogger = object

MODEL = "pointsman"
"""What clients ask for: `pointsman`, or `pointsman/POLICY` such as `pointsman/tradeoff=0.01`."""
KEY = "pointsman"
"""Where the decision stands in a request's metadata, and where a client may put `among`, `exclude` and `requires`."""
FALLBACKS = 3
"""Candidates that are asked in turn if the choice fails."""


class PointsmanHook(CustomLogger):  # type: ignore[misc]  # litellm may be absent
    """Replaces `model` before the proxy calls a provider, and hears how the call went."""

    def __init__(self, router: str | None = None, decisions: str | None = None, explore: float | None = None) -> None:
        """Serves a bundle, a published folder, or the fsspec URL of either; it is loaded with the first request.

        Args:
            router: None: POINTSMAN_ROUTER, or data/published.
            decisions: folder or URL of the decision log; None: POINTSMAN_DECISIONS, or none.
            explore: share of decisions drawn to learn; None: POINTSMAN_EXPLORE, or 0.
        """
        super().__init__()
        self._path, self._decisions, self._explore = router, decisions, explore
        self._in_service: InService | None = None
        self._service: Service | None = None

    async def async_pre_call_hook(
        self,
        user_api_key_dict: Any,
        cache: Any,
        data: dict[str, Any],
        call_type: str,
    ) -> dict[str, Any]:
        """The request with the chosen candidate's name in place of `pointsman`, and the next ones as its fallbacks.

        Raises:
            HTTPException: 400, an unknown policy, one that can't be kept, or no candidate is left.
            BundleError: there is no router to ask.
        """
        asked, _, policy = str(data.get("model", "")).partition("/")
        if asked != MODEL:
            return data
        # encoding takes milliseconds of a processor: other requests go on meanwhile
        try:
            chosen = await asyncio.to_thread(self._choose, data, policy or "operating")
        except BundleError:
            raise
        except ValueError as error:
            # the proxy takes any other error for a failure of its own and answers 500
            raise HTTPException(400, {"error": str(error)}) from None
        # proxies log metadata, so the prompt stays out of it
        metadata = {**(data.get("metadata") or {}), KEY: chosen}
        sent = {**data, "model": chosen["candidate"], "metadata": metadata}
        if others := chosen["ranked"][1 : 1 + FALLBACKS]:
            sent.setdefault("fallbacks", others)
        return sent

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> None:
        """Puts tokens, cost and latency of an answer beside its decision."""
        usage = getattr(response_obj, "usage", None) or {}
        usage = usage if isinstance(usage, Mapping) else vars(usage)
        # the proxy tries again what failed: an answer takes the failure back
        figures: dict[str, Any] = {"error": "", "latency_ms": (end_time - start_time).total_seconds() * 1000}
        for name, theirs in (("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens")):
            if isinstance(usage.get(theirs), int):
                figures[name] = usage[theirs]
        cost = kwargs.get("response_cost")
        # of a model that it has no price of LiteLLM says 0, as of an answer from its cache
        if isinstance(cost, int | float) and cost > 0:
            figures["cost_usd"] = float(cost)
        await self._tell(kwargs, figures)

    async def async_log_failure_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> None:
        """Puts the kind of a failure beside its decision; its text may quote the prompt."""
        await self._tell(kwargs, {"error": type(kwargs.get("exception") or Exception()).__name__})

    def told(self, decision_id: str, **figures: Any) -> None:
        """Takes feedback: any of quality, thumb ('up' or 'down'), cost_usd, latency_ms."""
        if self._service is not None:
            self._service.tell(decision_id, figures)

    async def _tell(self, kwargs: Mapping[str, Any], figures: dict[str, Any]) -> None:
        metadata = (kwargs.get("litellm_params") or {}).get("metadata") or {}
        decision = metadata.get(KEY) or {}
        # an answer of a fallback says nothing of the choice, but that it failed
        answered = str(kwargs.get("model", ""))
        group = str(metadata.get("model_group") or answered)
        if self._service is None or not decision.get("decision_id"):
            return
        if decision.get("candidate") not in (answered, group, answered.rpartition("/")[2]):
            figures = {"error": "answered by a fallback"}
        await asyncio.to_thread(self._service.tell, decision["decision_id"], figures)

    def _choose(self, data: Mapping[str, Any], policy: str) -> dict[str, Any]:
        service, in_service = self._ready()
        router = in_service.get()
        request = _request(data, router.conversation)
        asked = (data.get("metadata") or {}).get(KEY) or {}
        messages = data.get("messages") or []
        most = data.get("max_completion_tokens") or data.get("max_tokens") or 0
        name, wanted = constrained(
            policy,
            Wanted(
                among=None if asked.get("among") is None else tuple(asked["among"]),
                exclude=tuple(asked.get("exclude") or ()),
                requires=tuple(sorted({*request.requires, *(asked.get("requires") or ())})),
                max_output_tokens=int(most),
            ),
        )
        job = Job(
            prompts=[request.text],
            decision_ids=[new_id()],
            policy=known_policy(name),
            wanted=wanted,
            characters=[max(request_characters(data), len(request.text))],
            digests=[request.digest],
            session=(data.get("metadata") or {}).get("session_id"),
            tenant=data.get("user"),
            in_tool_loop=ends_in_tool_loop(messages),
        )
        (answer,) = service.predict([Piece(router=router, arm="champion", job=job, start=0, end=1)])
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, bytes)  # noqa: S101  # a whole request is answered
        (decision,) = json.loads(answer)["decisions"]
        names = ("decision_id", "candidate", "ranked", "task", "reason", "predicted_quality", "propensity")
        return {**{name: decision[name] for name in names}, "router_id": router.router_id}

    def _ready(self) -> tuple[Service, InService]:
        if self._in_service is None or self._service is None:
            self._in_service = InService(self._path or os.environ.get("POINTSMAN_ROUTER", "data/published"), every=1.0)
            folder = self._decisions or os.environ.get("POINTSMAN_DECISIONS")
            log = LogConfig.at(folder) if folder else None
            rate = float(os.environ.get("POINTSMAN_EXPLORE", "0")) if self._explore is None else self._explore
            config = ServingConfig(explore=ExplorationConfig(rate=rate), log=log)
            self._service = Service(config, Meters(), DecisionLog(log) if log else None)
        return self._service, self._in_service


def routed(data: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The text that is routed, by the rule of the server and of imports, and what a candidate must be able to do.

    '' where a request holds no text: it goes where a prompt goes that is like none.
    """
    request = _request(data, DEFAULT)
    return request.text, request.requires


def _request(data: Mapping[str, Any], conversation: ConversationConfig) -> RoutedRequest:
    try:
        return routed_request(data, conversation)
    except ConversationError:
        return RoutedRequest(text="", requires=())


handler = PointsmanHook()
"""What config.yaml names."""
