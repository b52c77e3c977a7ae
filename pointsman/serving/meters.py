"""What a server counts, for Prometheus and the console; no prompt is in it, and all labels are bounded."""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from pointsman.router import Router, Routing

Floats = NDArray[np.float64]


class Meters:
    """Prometheus metrics of one application."""

    def __init__(self) -> None:
        own = CollectorRegistry()
        self._registry = own

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"pointsman_{name}", what, labels, registry=own)

        def gauge(name: str, what: str, *labels: str) -> Gauge:
            return Gauge(f"pointsman_{name}", what, labels, registry=own)

        self._decisions = counter("decisions", "Prompts", "candidate", "task", "reason")
        self._policies = counter("policy_decisions", "Prompts by kind of policy and who decided", "policy", "arm")
        self._expected = counter("expected_cost_usd", "Expected cost of the choices", "candidate")
        self._baseline = counter("baseline_cost_usd", "Expected cost had the best single candidate been chosen")
        self._explored = counter("exploration_cost_usd", "Expected cost that drawn choices added or saved, as it was")
        self._unassigned = counter("unassigned", "Prompts without a task, or unlike any in training")
        self._novel = counter("novel", "Prompts unlike any in training")
        self._share = gauge("unassigned_share", "Share of prompts without a task, or unlike any in training")
        self._novel_share = gauge("novel_share", "Share of prompts unlike any in training; 0 before any")
        self._gathered = Histogram(
            "pointsman_batch_prompts", "Prompts encoded together", buckets=(1, 2, 4, 8, 16, 32, 64, 256), registry=own
        )
        self._seconds = Histogram(
            "pointsman_route_seconds",
            "Seconds from a request's arrival to its answer, waiting included",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=own,
        )
        self._given_up = counter("given_up", "Requests whose client hung up before the answer")
        self._refused = counter("refused", "Requests told to come back, for want of room")
        self._outcomes = counter("outcomes", "Outcomes told", "candidate")
        self._errors = counter("outcome_errors", "Outcomes of failed calls", "candidate")
        self._thumbs = counter("thumbs", "Thumbs of users", "candidate", "thumb")
        self._spent = counter("told_cost_usd", "Measured cost of answers", "candidate")
        self._shadow = counter("shadow_decisions", "Prompts that the shadow decided too")
        self._differs = counter("shadow_disagreements", "Of these, those with another choice")
        self._shadow_quality = gauge("shadow_quality_difference", "Predicted quality of the shadow's choices less ours")
        self._shadow_cost = gauge("shadow_cost_difference_usd", "Expected cost of the shadow's choices less ours")
        self._stepped_back = counter("canary_step_backs", "Challengers stopped by a guardrail")
        self._failures = gauge("failed_reloads", "Routers that couldn't be loaded")
        self._shed = gauge("log_shed", "Rows that the decision log had no room for")
        self._log_failures = gauge("log_failures", "Writes of the decision log that failed and were tried again")
        self._left_out = gauge("shadow_left_out", "Requests that the shadow couldn't keep up with")
        self._info = gauge("router_info", "1 for the router in service", "router_id", "operating_policy")
        self._lock = threading.Lock()
        self._sums: dict[str, float] = dict.fromkeys(
            ("prompts", "unassigned", "novel", "cost", "baseline", "exploration", "explored"), 0.0
        )
        self._by_candidate: dict[str, int] = {}
        self._by_task: dict[str, int] = {}
        self._shadow_sums: dict[str, float] = dict.fromkeys(("prompts", "disagreements", "quality", "cost_usd"), 0.0)

    def count(
        self,
        router: Router,
        routing: Routing,
        baseline_N: Floats,
        propensity_N: Floats,
        arm: str,
        unexplored_cost_N: Floats,
    ) -> None:
        """Adds the decisions of one request.

        Args:
            router: who decided.
            routing: the choices.
            baseline_N: expected cost of the best single candidate.
            propensity_N: of the choices.
            arm: champion or challenger.
            unexplored_cost_N: expected cost of what the policy chose.
        """
        expected_N = routing.expected_cost_usd
        names, tasks = routing.candidate, routing.task
        for name, task, reason, cost in zip(names, tasks, routing.reason_N.tolist(), expected_N.tolist(), strict=True):
            self._decisions.labels(name, task["id"] if task else "none", reason).inc()
            if cost == cost:  # noqa: PLR0124  # unknown costs are nan
                self._expected.labels(name).inc(cost)
        self._policies.labels(routing.policy.partition("=")[0], arm).inc(len(routing))
        without = int(((routing.task_N < 0) | routing.novel_N).sum())
        novel = int(routing.novel_N.sum())
        # a saving is compared on the same prompts
        both_N = np.isfinite(baseline_N) & np.isfinite(expected_N)
        baseline, cost = float(baseline_N[both_N].sum()), float(expected_N[both_N].sum())
        drawn = float(np.nansum(expected_N - unexplored_cost_N))
        self._baseline.inc(baseline)
        self._explored.inc(max(drawn, 0.0))
        self._unassigned.inc(without)
        self._novel.inc(novel)
        with self._lock:
            sums = self._sums
            sums["prompts"] += len(routing)
            sums["unassigned"] += without
            sums["novel"] += novel
            sums["cost"] += cost
            sums["baseline"] += baseline
            sums["exploration"] += drawn
            sums["explored"] += int((routing.reason_N == "explore").sum())
            for name, task in zip(names, tasks, strict=True):
                self._by_candidate[name] = self._by_candidate.get(name, 0) + 1
                label = task["label"] if task else "none"
                self._by_task[label] = self._by_task.get(label, 0) + 1
            self._share.set(sums["unassigned"] / max(sums["prompts"], 1))
            self._novel_share.set(sums["novel"] / max(sums["prompts"], 1))

    def gathered(self, prompts: int) -> None:
        """Adds prompts that were encoded together."""
        self._gathered.observe(prompts)

    def took(self, seconds: float) -> None:
        """Adds an answered request."""
        self._seconds.observe(seconds)

    def gave_up(self) -> None:
        """Adds a request whose client hung up."""
        self._given_up.inc()

    def refused(self) -> None:
        """Adds a request that there was no room for."""
        self._refused.inc()

    def told(self, candidate: str | None, figures: dict[str, Any]) -> None:
        """Adds an outcome; of a decision that isn't remembered the candidate is None."""
        name = candidate or "unknown"
        self._outcomes.labels(name).inc()
        if figures.get("error"):
            self._errors.labels(name).inc()
        if "thumb" in figures:
            self._thumbs.labels(name, figures["thumb"]).inc()
        if "cost_usd" in figures:
            self._spent.labels(name).inc(figures["cost_usd"])

    def shadowed(self, compared: dict[str, Any]) -> None:
        """Adds what the shadow would have changed."""
        self._shadow.inc(compared["prompts"])
        self._differs.inc(compared["disagreements"])
        self._shadow_quality.inc(compared["quality"])
        self._shadow_cost.inc(compared["cost_usd"])
        with self._lock:
            for name, value in compared.items():
                self._shadow_sums[name] += value

    def stepped_back(self) -> None:
        """Adds a challenger that a guardrail stopped."""
        self._stepped_back.inc()

    def traffic(self) -> dict[str, Any]:
        """The same in sum, for the console."""
        with self._lock:
            return {
                **self._sums,
                "by_candidate": dict(self._by_candidate),
                "by_task": dict(self._by_task),
                "shadow": dict(self._shadow_sums),
            }

    def page(self, router: Router, *, failures: int, shed: int, log_failures: int, left_out: int) -> bytes:
        """All figures in Prometheus' text form."""
        self._failures.set(failures)
        self._shed.set(shed)
        self._log_failures.set(log_failures)
        self._left_out.set(left_out)
        self._info.clear()
        self._info.labels(router.router_id, router.operating_policy).set(1)
        return generate_latest(self._registry)
