"""From prompts to decisions: encodes what waits together, chooses, explores, keeps the log, and spells the answer."""

import json
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.model.prediction import Prediction
from pointsman.policy.eligibility import Wanted, rows_of
from pointsman.policy.exploration import Allowance, Explored, explore, extra_cost, plausible
from pointsman.policy.pacing import Pace, Pacer
from pointsman.policy.policy import Policy, Tradeoff, parse
from pointsman.policy.ranking import rank
from pointsman.router import OPERATING, Router, Routing, lengths
from pointsman.serving.canary import Arm, Canary
from pointsman.serving.config import ServingConfig
from pointsman.serving.decision_log import DecisionLog, propensities_text
from pointsman.serving.meters import Meters
from pointsman.serving.sessions import Sessions, stay_with
from pointsman.serving.shadow import Seen, Shadow, compared
from pointsman.text.conversation import prompt_digest
from pointsman.text.tokens import Tokens

PACE = "pace"
RECENT = 200
"""Decisions that the console shows."""
REMEMBERED = 50_000
"""Decisions whose arm and expected cost are known when their outcomes come."""
TENANTS = 10_000
"""Streams that are paced apart; the longest silent one starts anew."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    """A request that was found in order."""

    prompts: list[str]
    decision_ids: list[str]
    policy: str = OPERATING
    wanted: Wanted = field(default_factory=Wanted)
    characters: list[int] | None = None
    """Of all that a candidate is sent for each prompt; None: the prompt alone."""
    digests: list[str] | None = None
    """Which prompts they are; None: told by their text."""
    session: str | None = None
    tenant: str | None = None
    explain: bool = False
    in_tool_loop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """Prompts that are predicted together, whole requests or parts of one."""

    router: Router
    arm: Arm
    job: Job
    start: int
    end: int

    @property
    def whole(self) -> bool:
        """Whether it is all of its request."""
        return self.end - self.start == len(self.job.prompts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predicted:
    """What is believed of a piece's prompts."""

    prediction: Prediction
    tokens: Tokens
    embedding_ND: NDArray[np.float32]


def paced(text: str) -> Pace | None:
    """The pace that a policy's name asks for; None: it is another policy.

    Raises:
        ValueError: no number, or one out of its range.

    >>> paced("pace=0.5")
    Pace(usd_per_1000=0.5)
    """
    name, _, figure = text.strip().partition("=")
    if name != PACE:
        return None
    try:
        return Pace(usd_per_1000=float(figure))
    except ValueError as error:
        raise ValueError(f"policy {text!r}: {error}; want pace=USD_PER_1000") from None


class Service:
    """Decides for requests; any number of threads may call it."""

    def __init__(self, config: ServingConfig, meters: Meters, log: DecisionLog | None) -> None:
        self._config, self._meters, self._log = config, meters, log
        self._lock = threading.Lock()
        self._allowance = Allowance(config.explore)
        self._pacers: OrderedDict[tuple[str, str], Pacer] = OrderedDict()
        self._sessions = None if config.sticky is None else Sessions(config.sticky)
        self._remembered: OrderedDict[str, tuple[Arm, str, float]] = OrderedDict()
        self.canary = None if config.canary is None else Canary(config.canary)
        self.shadow: Shadow | None = None
        self.recent: deque[dict[str, Any]] = deque(maxlen=RECENT)
        """The last decisions, for the console; texts only if the log keeps them."""

    def predict(self, pieces: Sequence[Piece]) -> list[bytes | Predicted | Exception]:
        """For whole requests the answer, for parts what is believed; in the pieces' order.

        Pieces of one router are encoded together.
        """
        answers: dict[int, bytes | Predicted | Exception] = {}
        for router in {id(piece.router): piece.router for piece in pieces}.values():
            places = [place for place, piece in enumerate(pieces) if piece.router is router]
            answers.update(zip(places, self._together(router, [pieces[place] for place in places]), strict=True))
        return [answers[place] for place in range(len(pieces))]

    def _together(self, router: Router, pieces: list[Piece]) -> list[bytes | Predicted | Exception]:
        prompts = [prompt for piece in pieces for prompt in piece.job.prompts[piece.start : piece.end]]
        self._meters.gathered(len(prompts))
        tokens, embedding_ND = router.encode(prompts)
        read_N, characters_N = lengths(prompts)
        bounds = list(accumulate((piece.end - piece.start for piece in pieces), initial=0))
        for piece, start, end in zip(pieces, bounds, bounds[1:], strict=False):
            if piece.job.characters is not None:
                characters_N[start:end] = piece.job.characters[piece.start : piece.end]
        prediction = router.predict_encoded(tokens, embedding_ND, read_N, characters_N)
        answers: list[bytes | Predicted | Exception] = []
        for piece, start, end in zip(pieces, bounds, bounds[1:], strict=False):
            if len(pieces) == 1:
                part = Predicted(prediction=prediction, tokens=tokens, embedding_ND=embedding_ND)
            else:
                part = Predicted(
                    prediction=rows_of(prediction, slice(start, end)),
                    tokens=tokens.take(np.arange(start, end)),
                    embedding_ND=embedding_ND[start:end],
                )
            try:
                answers.append(self.finish(router, piece.arm, piece.job, part) if piece.whole else part)
            except ValueError as error:
                answers.append(error)
        return answers

    def finish(self, router: Router, arm: Arm, job: Job, predicted: Predicted) -> bytes:
        """The answer to a request whose prompts are predicted.

        Raises:
            ValueError: a policy that can't be kept, or no candidate is left for a prompt.
        """
        policy, pacer = self._policy(router, job)
        routing = router.choose(predicted.prediction, policy, job.wanted)
        explored, kept = self._explore(job, routing)
        final = replace(routing, choice_N=explored.choice_N, reason_N=_reasons(routing, explored, kept))
        if (final.choice_N != routing.choice_N).any():
            order = rank(policy, final.choice_N, final.quality_NM, final.cost_usd_NM, _eligible(routing))
            final = replace(final, ranked_NM=order)
        if pacer is not None:
            final = replace(final, policy=job.policy)
        with self._lock:
            if pacer is not None:
                for cost in final.expected_cost_usd.tolist():
                    pacer.spent(cost)
            if self._sessions is not None and job.session and len(final) == 1:
                self._sessions.remember(job.session, final.candidate[0])
        baseline_N = final.cost_usd_NM[:, router.best_single]
        self._meters.count(router, final, baseline_N, explored.propensity_N, arm, routing.expected_cost_usd)
        columns = final.to_columns() | {"propensity": explored.propensity_N.tolist(), "decision_id": job.decision_ids}
        rows_ = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        self._keep(router, arm, job, final, explored, baseline_N, predicted, rows_)
        self._show_shadow(router, arm, job, final, predicted)
        if job.explain:
            for place, row in enumerate(rows_):
                row["explanation"] = _explanation(router, final, explored, predicted.prediction, place)
        return json.dumps({"router_id": router.router_id, "decisions": rows_}, allow_nan=False).encode()

    def tell(self, decision_id: str, figures: dict[str, Any]) -> bool:
        """Takes what became of a decision; whether it is in the log.

        Raises:
            OverflowError: the log has no room now.
        """
        now = datetime.now(UTC).replace(tzinfo=None)
        if self._log is not None and not self._log.told({"decision_id": decision_id, "told_at": now, **figures}):
            raise OverflowError("the log has no room: come back")
        known = self._remembered.get(decision_id)
        self._meters.told(known[1] if known else None, figures)
        if known is not None and self.canary is not None:
            with self._lock:
                if self.canary.told(known[0], figures):
                    self._meters.stepped_back()
                    self._event({"event": "canary stopped", "why": self.canary.stopped})
        return self._log is not None

    @property
    def shed(self) -> int:
        """Rows that the log had no room for."""
        return 0 if self._log is None else self._log.shed

    @property
    def log_failures(self) -> int:
        """Writes of the log that failed and were tried again."""
        return 0 if self._log is None else self._log.failures

    def arm(self, job: Job) -> Arm:
        """Who decides for a request."""
        return "champion" if self.canary is None else self.canary.arm(job.session or job.decision_ids[0])

    def _policy(self, router: Router, job: Job) -> tuple[Policy, Pacer | None]:
        pace = paced(job.policy)
        if pace is None:
            return router.policy(job.policy), None
        key = (job.tenant or "", job.policy)
        with self._lock:
            pacer = self._pacers.get(key) or Pacer(pace)
            self._pacers[key] = pacer
            self._pacers.move_to_end(key)
            while len(self._pacers) > TENANTS:
                self._pacers.popitem(last=False)
            return Tradeoff(willingness_to_pay=pacer.willingness_to_pay), pacer

    def _explore(self, job: Job, routing: Routing) -> tuple[Explored, bool]:
        """The choices after sessions and exploration; whether the session decided."""
        config = self._config.explore
        if self._sessions is not None and job.session and len(routing) == 1:
            with self._lock:
                column = self._sessions.keeps(job.session, routing, in_tool_loop=job.in_tool_loop)
            if column is not None:
                return _certain(stay_with(routing, column), routing), bool(column != routing.choice_N[0])
        if not config.rate or job.tenant in config.opted_out:
            return _certain(routing.choice_N, routing), False
        drawn_NM = plausible(routing.choice_N, routing.quality_NM, routing.cost_usd_NM, _eligible(routing), config)
        extra_N = extra_cost(routing.choice_N, routing.cost_usd_NM, drawn_NM)
        with self._lock:
            rate_N = self._allowance.rates(extra_N)
        return explore(routing.choice_N, drawn_NM, rate_N, job.decision_ids), False

    def _keep(
        self,
        router: Router,
        arm: Arm,
        job: Job,
        final: Routing,
        explored: Explored,
        baseline_N: NDArray[np.float64],
        predicted: Predicted,
        rows: list[dict[str, Any]],
    ) -> None:
        """Puts the decisions into the log and among those that are remembered."""
        now = datetime.now(UTC).replace(tzinfo=None)
        setting = None if self._log is None else self._log.config.text
        for place, row in enumerate(rows):
            told = row["decision_id"]
            self._remembered[told] = (arm, row["candidate"], float(final.expected_cost_usd[place]))
            short = {name: row[name] for name in ("decision_id", "candidate", "reason", "policy", "propensity")}
            short |= {name: row[name] for name in ("predicted_quality", "expected_cost_usd", "task")}
            text = job.prompts[place]
            self.recent.append({**short, "at": now.isoformat(), "text": text[:300] if setting == "full" else None})
            if self._log is None:
                continue
            baseline = float(baseline_N[place])
            self._log.decided(
                {
                    **{name: row[name] for name in ("decision_id", "policy", "candidate", "propensity", "reason")},
                    **{name: row[name] for name in ("predicted_quality", "expected_cost_usd", "scores", "margin")},
                    "decided_at": now,
                    "router_id": router.router_id,
                    "propensities": propensities_text(router.candidates, explored.propensity_NM[place].tolist()),
                    "explored": row["reason"] == "explore",
                    "baseline_cost_usd": None if np.isnan(baseline) else baseline,
                    "task": row["task"]["id"] if row["task"] else None,
                    "novel": bool(final.novel_N[place]),
                    "session": job.session,
                    "tenant": job.tenant,
                    "requires": list(job.wanted.requires),
                    "digest": job.digests[place] if job.digests else prompt_digest([text]),
                    "text": text,
                    "embedding": predicted.embedding_ND[place].tolist() if setting == "embedding" else None,
                }
            )
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    def _show_shadow(self, router: Router, arm: Arm, job: Job, final: Routing, predicted: Predicted) -> None:
        if self.shadow is None or arm == "challenger":
            return
        shared = bool(router.encoder_digest) and router.encoder_digest == self.shadow.router.encoder_digest
        characters_N = lengths(job.prompts)[1] if job.characters is None else np.array(job.characters)
        self.shadow.see(
            Seen(
                prompts=job.prompts,
                characters_N=characters_N,
                tokens=predicted.tokens if shared else None,
                embedding_ND=predicted.embedding_ND if shared else None,
                wanted=job.wanted,
                decision_ids=job.decision_ids,
                candidates=final.candidate,
                quality_N=final.predicted_quality,
                cost_usd_N=final.expected_cost_usd,
            )
        )

    def shadowed(self, seen: Seen, routing: Routing, router: Router) -> None:
        """Counts and keeps what the shadow would have chosen."""
        self._meters.shadowed(compared(seen, routing))
        if self._log is None:
            return
        now = datetime.now(UTC).replace(tzinfo=None)
        for place, decision_id in enumerate(seen.decision_ids):
            cost = float(routing.expected_cost_usd[place])
            self._log.shadowed(
                {
                    "decision_id": decision_id,
                    "decided_at": now,
                    "shadow_router_id": router.router_id,
                    "shadow_candidate": routing.candidate[place],
                    "shadow_quality": float(routing.predicted_quality[place]),
                    "shadow_cost_usd": None if np.isnan(cost) else cost,
                }
            )

    def _event(self, event: dict[str, Any]) -> None:
        """Writes down what a person should find later, beside the log."""
        if self._log is None:
            return
        line = json.dumps({"at": datetime.now(UTC).isoformat(), **event}) + "\n"
        with (self._log.config.folder / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def known_policy(text: str) -> str:
    """A policy's name, refused before it is queued if no router could know it.

    Raises:
        ValueError: no such policy, no number, or a number out of its range.
    """
    if text not in (OPERATING, "parity") and paced(text) is None:
        parse(text)
    return text


def new_id() -> str:
    """A decision's name, 32 hex digits."""
    return os.urandom(16).hex()


def _certain(choice_N: NDArray[np.intp], routing: Routing) -> Explored:
    propensity_NM = np.zeros(routing.quality_NM.shape)
    propensity_NM[np.arange(choice_N.size), choice_N] = 1
    return Explored(choice_N=choice_N, propensity_NM=propensity_NM)


def _eligible(routing: Routing) -> NDArray[np.bool_]:
    """Which candidates a prompt may go to: those that are ranked, shape (N, M)."""
    eligible_NM = np.zeros(routing.quality_NM.shape, dtype=np.bool_)
    rows, places = np.nonzero(routing.ranked_NM >= 0)
    eligible_NM[rows, routing.ranked_NM[rows, places]] = True
    return eligible_NM


def _reasons(routing: Routing, explored: Explored, kept: bool) -> NDArray[np.str_]:
    if kept:
        return np.full(routing.choice_N.shape, "session")
    changed_N = explored.choice_N != routing.choice_N
    return np.where(changed_N, "explore", routing.reason_N) if changed_N.any() else routing.reason_N


def _explanation(
    router: Router, routing: Routing, explored: Explored, prediction: Prediction, row: int
) -> dict[str, Any]:
    tokens_N = prediction.input_tokens_N
    chances = zip(router.candidates, explored.propensity_NM[row].tolist(), strict=True)
    return {
        "novel": bool(routing.novel_N[row]),
        "best_single": router.candidates[router.best_single],
        "input_tokens": 0 if tokens_N is None else int(tokens_N[row]),
        "removed": {
            rule: [router.candidates[column] for column in np.flatnonzero(gone_NM[row])]
            for rule, gone_NM in routing.removed.items()
            if gone_NM[row].any()
        },
        "propensities": {name: chance for name, chance in chances if chance > 0},
    }
