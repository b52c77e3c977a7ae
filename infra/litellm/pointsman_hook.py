"""LiteLLM proxy hook: requests for the model `pointsman` go to the candidate that the router chooses.

Everything else of a request passes through untouched, and so do requests for any other model.
"""

import asyncio
import os
from collections.abc import Mapping
from typing import Any

from fastapi import HTTPException

from pointsman.errors import BundleError
from pointsman.serving.in_service import InService
from pointsman.text.conversation import ConversationError, routed_request

try:
    from litellm.integrations.custom_logger import CustomLogger
except ImportError:  # the hook can be read and tested without the proxy
    CustomLogger = object

MODEL = "pointsman"
"""What clients ask for: `pointsman`, or `pointsman/POLICY` such as `pointsman/tradeoff=0.01`."""


class PointsmanHook(CustomLogger):  # type: ignore[misc]  # litellm may be absent
    """Replaces `model` before the proxy calls a provider."""

    def __init__(self, router: str | None = None) -> None:
        """Serves a bundle, a published folder, or the fsspec URL of either; it is loaded with the first request."""
        super().__init__()
        self._path = router
        self._in_service: InService | None = None

    async def async_pre_call_hook(
        self,
        user_api_key_dict: Any,
        cache: Any,
        data: dict[str, Any],
        call_type: str,
    ) -> dict[str, Any]:
        """The request with the chosen candidate's name in place of `pointsman`.

        Raises:
            HTTPException: 400, an unknown policy, or one that can't be kept.
            BundleError: there is no router to ask.
        """
        asked, _, policy = str(data.get("model", "")).partition("/")
        if asked != MODEL:
            return data
        # encoding takes milliseconds of a processor: other requests go on meanwhile
        try:
            chosen = await asyncio.to_thread(self._choose, *routed(data), policy or "operating")
        except BundleError:
            raise
        except ValueError as error:
            # the proxy takes any other error for a failure of its own and answers 500
            raise HTTPException(400, {"error": str(error)}) from None
        # proxies log metadata, so the prompt stays out of it
        metadata = {**(data.get("metadata") or {}), "pointsman": chosen}
        return {**data, "model": chosen["candidate"], "metadata": metadata}

    def _choose(self, prompt: str, requires: tuple[str, ...], policy: str) -> dict[str, Any]:
        if self._in_service is None:
            path = self._path or os.environ.get("POINTSMAN_ROUTER", "data/published")
            self._in_service = InService(path, every=1.0)
        router = self._in_service.get()
        routing = router.route([prompt], policy, requires=requires)
        return {
            "candidate": routing.candidate[0],
            "task": routing.task[0],
            "reason": str(routing.reason_N[0]),
            "predicted_quality": float(routing.predicted_quality[0]),
            "router_id": router.router_id,
        }


def routed(data: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The text that is routed, by the rule of the server and of imports, and what a candidate must be able to do.

    '' where a request holds no text: it goes where a prompt goes that is like none.
    """
    try:
        request = routed_request(data)
    except ConversationError:
        return "", ()
    return request.text, request.requires


handler = PointsmanHook()
"""What config.yaml names."""
