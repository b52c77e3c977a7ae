"""What a server counts, for Prometheus and the console; no prompt is in it, and all labels are bounded."""

import threading
from collections import Counter as Counts
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pointsman.router import Router
from pointsman.serving.decided import Decided
from pointsman.serving.tally import Tally


class _Decisions(Collector):
    """The sums over decisions as metrics."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        """One family after the other."""
        sums = self._tally.sums()
        yield _family("decisions", "Prompts", ("candidate", "task", "reason"), sums.decisions.items())
        yield _family(
            "policy_decisions", "Prompts by kind of policy and who decided", ("policy", "arm"), sums.policies.items()
        )
        by_name = (((name,), usd) for name, usd in sums.expected.items())
        yield _family("expected_cost_usd", "Expected cost of the choices", ("candidate",), by_name)
        for name, what, value in (
            ("baseline_cost_usd", "Expected cost had the best single candidate been chosen", sums.baseline),
            ("exploration_cost_usd", "Expected cost of draws above what was proposed", sums.added),
            ("unassigned", "Prompts without a task, or unlike any in training", sums.unassigned),
            ("novel", "Prompts unlike any in training", sums.novel),
        ):
            yield CounterMetricFamily(f"pointsman_{name}", what, value=value)
        for name, what, count in (
            ("unassigned_share", "Share of prompts without a task, or unlike any in training", sums.unassigned),
            ("novel_share", "Share of prompts unlike any in training; 0 before any", sums.novel),
        ):
            yield GaugeMetricFamily(f"pointsman_{name}", what, value=count / max(sums.prompts, 1))


def _family(
    name: str, what: str, labels: tuple[str, ...], values: Iterable[tuple[Sequence[str], float]]
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"pointsman_{name}", what, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family


class Meters:
    """Prometheus metrics of one application."""

    def __init__(self) -> None:
        own = CollectorRegistry()
        self._registry, self._tally = own, Tally()
        own.register(_Decisions(self._tally))

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"pointsman_{name}", what, labels, registry=own)

        def gauge(name: str, what: str, *labels: str) -> Gauge:
            return Gauge(f"pointsman_{name}", what, labels, registry=own)

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
        self._outcomes = counter("outcomes", "Decisions whose outcome was told", "candidate")
        self._errors = counter("outcome_errors", "Decisions whose call failed", "candidate")
        self._thumbs = counter("thumbs", "Thumbs of users", "candidate", "thumb")
        self._spent = counter("told_cost_usd", "Measured cost of answers", "candidate")
        self._shadow = counter("shadow_decisions", "Prompts that the shadow decided too")
        self._differs = counter("shadow_disagreements", "Of these, those with another choice")
        self._shadow_quality = gauge("shadow_quality_difference", "Predicted quality of the shadow's choices less ours")
        self._shadow_cost = gauge("shadow_cost_difference_usd", "Expected cost of the shadow's choices less ours")
        self._stepped_back = counter("canary_step_backs", "Challengers stopped by a guardrail")
        self._stood_in = counter(
            "canary_unable", "Requests of the challenger's share that only the router in service could decide"
        )
        self._failures = gauge("failed_reloads", "Routers that couldn't be loaded")
        self._shed = gauge("log_shed", "Rows that the decision log had no room for")
        self._log_failures = gauge("log_failures", "Writes of the decision log that failed and were tried again")
        self._left_out = gauge("shadow_left_out", "Requests that the shadow couldn't keep up with")
        self._info = gauge("router_info", "1 for the router in service", "router_id", "operating_policy")
        self._lock = threading.Lock()
        self._shadow_sums: dict[str, float] = dict.fromkeys(("prompts", "disagreements", "quality", "cost_usd"), 0.0)

    def count(self, decided: Decided) -> None:
        """Adds the decisions of one request."""
        self._tally.add(decided)

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

    def told(self, candidate: str | None, figures: Mapping[str, Any], *, again: bool = False) -> None:
        """Adds an outcome, with figures that weren't added before.

        Args:
            candidate: whose; None: the decision isn't remembered.
            figures: what was told.
            again: something of the decision was told before.
        """
        name = candidate or "unknown"
        if not again:
            self._outcomes.labels(name).inc()
        if figures.get("error"):
            self._errors.labels(name).inc()
        if "thumb" in figures:
            self._thumbs.labels(name, figures["thumb"]).inc()
        if "cost_usd" in figures:
            self._spent.labels(name).inc(figures["cost_usd"])

    def shadowed(self, compared: Mapping[str, Any]) -> None:
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

    def stood_in(self) -> None:
        """Adds a request that the challenger couldn't decide, and the router in service could."""
        self._stood_in.inc()

    def traffic(self) -> dict[str, Any]:
        """The same in sum, for the console."""
        sums, by_candidate = self._tally.sums(), Counts[str]()
        for (name, _, _), count in sums.decisions.items():
            by_candidate[name] += count
        names = ("prompts", "unassigned", "novel", "explored", "cost", "baseline", "exploration")
        with self._lock:
            shadow = dict(self._shadow_sums)
        return {
            **{name: getattr(sums, name) for name in names},
            "by_candidate": dict(by_candidate),
            "by_task": dict(sums.by_task),
            "shadow": shadow,
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
