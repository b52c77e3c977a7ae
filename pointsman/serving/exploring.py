"""Who answers after a policy chose: a session's candidate, a draw among the plausible, or the choice."""

import threading
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pointsman.bundle.evidence import Evidence
from pointsman.policy.eligibility import Mask
from pointsman.policy.exploration import (
    Allowance,
    ExplorationConfig,
    Explored,
    certain,
    explore,
    extra_cost,
    gaps,
    plausible,
)
from pointsman.policy.lone_draw import draw_one
from pointsman.policy.policy import Budget, Policy
from pointsman.policy.promises import within
from pointsman.router import Router
from pointsman.routing import Routing
from pointsman.serving.jobs import Job
from pointsman.serving.sessions import Session, Sessions, stay_with


class Explorer:
    """Draws and sticks. Any number of threads may call it."""

    def __init__(self, config: ExplorationConfig, sticky: float | None) -> None:
        """`sticky`: quality that another candidate must promise beyond a session's own; None: sessions don't matter."""
        self.config = config
        self._allowance, self._lock = Allowance(config), threading.Lock()
        self._uncapped, self._rate_1 = config.usd_per_1000 == float("inf"), np.array([config.rate])
        # requests share it
        self._rate_1.flags.writeable = False
        self._sessions = None if sticky is None else Sessions(sticky)
        # champion and challenger, each before and after a reload
        self._gaps = lru_cache(maxsize=4)(self._gaps_of)

    def explored(self, router: Router, job: Job, routing: Routing, policy: Policy) -> tuple[Explored, bool]:
        """The choices, with their propensities; and whether a session changed one.

        What the policy promises is kept: within a budget nobody is drawn, and nobody below a bar that the choice
        clears.
        """
        if self._sessions is not None and job.session and len(routing) == 1:
            with self._lock:
                column = self._sessions.keeps(_session(job), routing, policy, in_tool_loop=job.in_tool_loop)
            if column is not None:
                return certain(stay_with(routing, column)), bool(column != routing.choice_N[0])
        # expected costs of draws would add up to more than was allowed
        if not self.config.rate or job.tenant in self.config.opted_out or isinstance(policy, Budget):
            return certain(routing.choice_N), False
        eligible_NM = _drawable(routing, policy)
        gap_NM = self._gaps(router.evidence)[routing.task_N, routing.choice_N]
        if len(routing) == 1 and self._uncapped:
            return self._alone(router, job, routing, eligible_NM, gap_NM), False
        drawn_NM = plausible(
            routing.choice_N,
            routing.quality_NM,
            routing.cost_usd_NM,
            eligible_NM,
            gap_NM=gap_NM,
            cost_ratio=self.config.cost_ratio,
            ceiling_usd_N=routing.cost_usd_NM[:, router.best_single],
        )
        return explore(routing.choice_N, drawn_NM, self._rates(routing, drawn_NM), job.decision_ids), False

    def _alone(
        self, router: Router, job: Job, routing: Routing, eligible_1M: Mask | None, gap_1M: NDArray[np.float64]
    ) -> Explored:
        """A lone prompt's draw, without a cap on what draws may cost."""
        cost_usd_M: list[float] = routing.cost_usd_NM[0].tolist()
        return draw_one(
            int(routing.choice_N[0]),
            routing.quality_NM[0].tolist(),
            cost_usd_M,
            None if eligible_1M is None else eligible_1M[0].tolist(),
            gap_M=gap_1M[0].tolist(),
            cost_ratio=self.config.cost_ratio,
            ceiling_usd=cost_usd_M[router.best_single],
            rate_1=self._rate_1,
            decision_id=job.decision_ids[0],
        )

    def remember(self, job: Job, routing: Routing) -> None:
        """A session's candidate from now on."""
        if self._sessions is not None and job.session and len(routing) == 1:
            with self._lock:
                self._sessions.remember(_session(job), routing.candidate[0])

    def _rates(self, routing: Routing, drawn_NM: NDArray[np.bool_]) -> NDArray[np.float64]:
        if self._uncapped:
            return np.full(len(routing), self.config.rate)
        extra_N = extra_cost(routing.choice_N, routing.cost_usd_NM, drawn_NM)
        with self._lock:
            return self._allowance.rates(extra_N)

    def _gaps_of(self, evidence: Evidence) -> NDArray[np.float64]:
        return gaps(evidence.outcomes_TM, self.config)


def _drawable(routing: Routing, policy: Policy) -> Mask | None:
    """Who is eligible and keeps the policy's promise; None: all."""
    may_NM = within(policy, routing.choice_N, routing.quality_NM, routing.cost_usd_NM)
    if may_NM is None or routing.eligible_NM is None:
        return routing.eligible_NM if may_NM is None else may_NM
    return np.asarray(may_NM & routing.eligible_NM, dtype=np.bool_)


def _session(job: Job) -> Session:
    return job.tenant or "", job.session or ""
