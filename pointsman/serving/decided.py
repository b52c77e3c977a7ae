"""One request's decisions, and how they are spelled: to the client now, in the log and on the console later.

Shapes: N prompts of the request, M candidates.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from pointsman.model.prediction import Prediction
from pointsman.policy.exploration import Explored
from pointsman.router import Router
from pointsman.routing import Routing
from pointsman.serving.canary import Arm
from pointsman.serving.jobs import Job

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN = 300
"""Characters of a text that the console shows."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decided:
    """What was decided for a request, as arrays: rows are made of it when somebody reads them."""

    router: Router
    arm: Arm
    routing: Routing
    """After exploration and sessions."""
    explored: Explored
    at_us: int
    """Microseconds since 1970, UTC."""
    decision_ids: list[str]
    session: str | None
    tenant: str | None
    requires: tuple[str, ...]
    texts: list[str] | None
    """None: nobody may keep them."""
    digests: list[str] | None
    """Which prompts they are; None: told by their text."""
    embedding_ND: NDArray[np.float32] | None
    """None: nobody keeps it."""

    def __len__(self) -> int:
        return len(self.decision_ids)

    @property
    def baseline_usd_N(self) -> NDArray[np.float64]:
        """Expected cost of the best single candidate; nan: unknown."""
        return self.routing.cost_usd_NM[:, self.router.best_single]

    @property
    def proposed_usd_N(self) -> NDArray[np.float64]:
        """Expected cost of what was chosen before a draw; nan: unknown."""
        return self.routing.cost_usd_NM[np.arange(len(self)), self.explored.proposed_N]


def answer(decided: Decided, prediction: Prediction | None) -> bytes:
    """The body of the answer; with a prediction each decision is explained."""
    columns = decided.routing.to_columns()
    columns |= {"propensity": decided.explored.propensity_N.tolist(), "decision_id": decided.decision_ids}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if prediction is not None:
        propensity_NM = decided.explored.propensity_NM(len(decided.router.candidates))
        for place, row in enumerate(rows):
            row["explanation"] = _explanation(decided, prediction, propensity_NM[place], place)
    return to_json({"router_id": decided.router.router_id, "decisions": rows})


def _explanation(
    decided: Decided, prediction: Prediction, propensity_M: NDArray[np.float64], row: int
) -> dict[str, Any]:
    router, routing, tokens_N = decided.router, decided.routing, prediction.input_tokens_N
    task, evidence = int(routing.task_N[row]), router.evidence
    on_task = [None] * len(router.candidates) if task < 0 else evidence.count_TM[task].tolist()
    return {
        "novel": bool(routing.novel_N[row]),
        "best_single": router.candidates[router.best_single],
        "input_tokens": 0 if tokens_N is None else int(tokens_N[row]),
        "removed": {
            rule: [router.candidates[column] for column in np.flatnonzero(gone_NM[row])]
            for rule, gone_NM in routing.removed.items()
            if gone_NM[row].any()
        },
        "propensities": {
            name: chance for name, chance in zip(router.candidates, propensity_M.tolist(), strict=True) if chance > 0
        },
        "latency_ms": _latency(decided, prediction, row),
        "evidence": {
            name: {"on_task": few, "in_all": many}
            for name, few, many in zip(router.candidates, on_task, evidence.count_M.tolist(), strict=True)
        },
    }


def _latency(decided: Decided, prediction: Prediction, row: int) -> dict[str, list[float]]:
    """What half of the calls to a candidate take at most, and 95 % of them; of those whose latency is known."""
    head, read_N = decided.router.facts.latency, prediction.input_tokens_N
    if head is None or read_N is None:
        return {}
    at = slice(row, row + 1)
    half_M, most_M = (each(prediction.task_N[at], read_N[at])[0] for each in (head.median_ms, head.most_ms))
    pairs = zip(decided.router.candidates, half_M.tolist(), most_M.tolist(), strict=True)
    return {name: [half, most] for name, half, most in pairs if half == half}  # noqa: PLR0124  # nan is unknown


class Shown(NamedTuple):
    """One decision for the console, with no more of its text than is shown."""

    routing: Routing
    row: int
    decision_id: str
    propensity: float
    at_us: int
    text: str | None

    def to_row(self) -> dict[str, Any]:
        """As JSON has it."""
        routing, row = self.routing, self.row
        cost = float(routing.expected_cost_usd[row])
        return {
            "decision_id": self.decision_id,
            "candidate": routing.candidate[row],
            "reason": str(routing.reason_N[row]),
            "policy": routing.policy,
            "propensity": self.propensity,
            "predicted_quality": float(routing.predicted_quality[row]),
            "expected_cost_usd": None if np.isnan(cost) else cost,
            "task": routing.task[row],
            "at": (_EPOCH + timedelta(microseconds=self.at_us)).replace(tzinfo=None).isoformat(),
            "text": self.text,
        }


def shown(decided: Decided, job: Job, *, with_text: bool) -> list[Shown]:
    """Each decision of a request for the console."""
    return [
        Shown(
            routing=decided.routing,
            row=row,
            decision_id=decision_id,
            propensity=float(decided.explored.propensity_N[row]),
            at_us=decided.at_us,
            text=job.prompts[row][:_SHOWN] if with_text else None,
        )
        for row, decision_id in enumerate(decided.decision_ids)
    ]
