"""From prompts to decisions: encodes what waits together, chooses, explores, and hands on what was decided."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import accumulate
from math import isfinite
from typing import Any

import numpy as np

from pointsman.policy.among import rows_of
from pointsman.policy.exploration import Explored
from pointsman.policy.pacing import Pacer
from pointsman.policy.policy import Policy, Tradeoff
from pointsman.policy.ranking import rank
from pointsman.router import Router
from pointsman.routing import Routing
from pointsman.serving.canary import Arm
from pointsman.serving.config import ServingConfig
from pointsman.serving.decided import Decided, Shown, answer, shown
from pointsman.serving.decision_log import DecisionLog
from pointsman.serving.exploring import Explorer
from pointsman.serving.jobs import Job, Piece, Predicted
from pointsman.serving.meters import Meters
from pointsman.serving.paces import Paces
from pointsman.serving.remembered import Memory, Remembered
from pointsman.serving.shadow import Compared, Seen, Shadow
from pointsman.serving.trials import Trials
from pointsman.text.conversation import prompt_digest
from pointsman.text.lengths import lengths

RECENT = 200
"""Decisions that the console shows."""


class Service:
    """Decides for requests; any number of threads may call it."""

    def __init__(self, config: ServingConfig, meters: Meters, log: DecisionLog | None) -> None:
        self._meters, self._log = meters, log
        self._lock = threading.Lock()
        self._explorer, self._paces = Explorer(config.explore, config.sticky), Paces()
        self._memory = Memory()
        self._text = None if log is None else log.config.text
        self.trials = Trials(config.canary, meters, None if log is None else log.config.folder)
        self.shadow: Shadow | None = None
        self._recent: deque[Shown] = deque(maxlen=RECENT)

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
                    tokens=tokens.part(start, end),
                    embedding_ND=embedding_ND[start:end],
                )
            try:
                answers.append(self.finish(router, piece.arm, piece.job, part) if piece.whole else part)
            except Exception as error:  # whatever it is, those who were asked beside it are answered
                answers.append(error)
        return answers

    def finish(self, router: Router, arm: Arm, job: Job, predicted: Predicted) -> bytes:
        """The answer to a request whose prompts are predicted.

        Raises:
            ValueError: a policy that can't be kept, no candidate is left for a prompt, or another decision has its id.
        """
        decided = self.decide(router, arm, job, predicted)
        return answer(decided, predicted.prediction if job.explain else None)

    def decide(self, router: Router, arm: Arm, job: Job, predicted: Predicted) -> Decided:
        """The decisions on a request, counted, remembered and on their way into the log.

        Raises:
            ValueError: as `finish`.
        """
        policy, pacer = self._policy(router, job)
        routing = router.choose(predicted.prediction, policy, job.wanted)
        digests = job.digests or [prompt_digest([prompt]) for prompt in job.prompts]
        explored, kept = self._explorer.explored(router, job, routing, policy)
        final = _after(routing, explored, policy, kept)
        self._remember(router, arm, job, final, digests)
        if pacer is not None:
            final = replace(final, policy=job.policy)
            with self._lock:
                # what is unknown is nan, and would be for ever in a sum
                for cost in filter(isfinite, final.expected_cost_usd.tolist()):
                    pacer.spent(cost)
        self._explorer.remember(job, final)
        decided = Decided(
            router=router,
            arm=arm,
            routing=final,
            explored=explored,
            at_us=time.time_ns() // 1000,
            decision_ids=job.decision_ids,
            session=job.session,
            tenant=job.tenant,
            requires=job.wanted.requires,
            texts=None if self._log is None else job.prompts,
            digests=digests,
            embedding_ND=predicted.embedding_ND if self._text == "embedding" else None,
        )
        self._hand_on(decided, job, predicted)
        return decided

    def tell(self, decision_id: str, figures: dict[str, Any]) -> bool:
        """Takes what became of a decision; whether it is in the log.

        Raises:
            OverflowError: the log has no room now.
        """
        now = datetime.now(UTC).replace(tzinfo=None)
        if self._log is not None and not self._log.told({"decision_id": decision_id, "told_at": now, **figures}):
            raise OverflowError("the log has no room: come back")
        with self._lock:
            known = self._memory.get(decision_id)
            if known is None:
                self._meters.told(None, figures)
            else:
                before = known.figures
                self._meters.told(known.candidate, known.tell(figures), again=bool(before))
                self.trials.told(known, before)
        return self._log is not None

    def recent(self) -> list[dict[str, Any]]:
        """The last decisions, newest first, for the console; texts only if the log keeps them."""
        return [one.to_row() for one in [*self._recent][::-1]]

    @property
    def shed(self) -> int:
        """Rows that the log had no room for."""
        return 0 if self._log is None else self._log.shed

    @property
    def log_failures(self) -> int:
        """Writes of the log that failed and were tried again."""
        return 0 if self._log is None else self._log.failures

    def _policy(self, router: Router, job: Job) -> tuple[Policy, Pacer | None]:
        with self._lock:
            pacer = self._paces.of(job.tenant, job.policy)
            if pacer is not None:
                return Tradeoff(willingness_to_pay=pacer.willingness_to_pay), pacer
        return router.policy(job.policy), None

    def _remember(self, router: Router, arm: Arm, job: Job, routing: Routing, digests: list[str]) -> None:
        """For their outcomes; in one step with the check, since two requests may come with an id at a time."""
        with self._lock:
            for decision_id, digest in zip(job.decision_ids, digests, strict=True):
                self._memory.check(decision_id, digest, job.wanted)
            for decision_id, digest, name in zip(job.decision_ids, digests, routing.candidate, strict=True):
                one = Remembered(arm=arm, candidate=name, router_id=router.router_id, digest=digest, wanted=job.wanted)
                self._memory.add(decision_id, one)

    def _hand_on(self, decided: Decided, job: Job, predicted: Predicted) -> None:
        """To the meters, the log, the console and the shadow."""
        self._meters.count(decided)
        if self._log is not None:
            self._log.decided(decided)
        self._recent.extend(shown(decided, job, with_text=self._text == "full"))
        if self.shadow is not None and decided.arm == "champion":
            digest = decided.router.encoder_digest
            shared = bool(digest) and digest == self.shadow.router.encoder_digest
            self.shadow.see(
                Seen(
                    prompts=job.prompts,
                    characters=job.characters,
                    tokens=predicted.tokens if shared else None,
                    embedding_ND=predicted.embedding_ND if shared else None,
                    wanted=job.wanted,
                    decision_ids=job.decision_ids,
                    routing=decided.routing,
                    at_us=decided.at_us,
                )
            )

    def shadowed(self, compared: Compared) -> None:
        """Counts and keeps what the shadow would have chosen."""
        self._meters.shadowed(compared.figures())
        if self._log is not None:
            self._log.shadowed(compared)


def _after(routing: Routing, explored: Explored, policy: Policy, kept: bool) -> Routing:
    """The routing with the choices of exploration, or of a session, in place of the policy's."""
    changed_N = explored.choice_N != routing.choice_N
    if not changed_N.any():
        return routing
    return replace(
        routing,
        choice_N=explored.choice_N,
        reason_N=np.where(changed_N, "session" if kept else "explore", routing.reason_N),
        ranked_NM=rank(policy, explored.choice_N, routing.quality_NM, routing.cost_usd_NM, routing.eligible_NM),
    )
