"""What a server counts, for Prometheus; no prompt is in it."""

import threading
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from pointsman.router import Routing


class Meters:
    """Prometheus metrics of one application."""

    def __init__(self) -> None:
        own = CollectorRegistry()
        self._registry = own
        self._decisions = Counter("pointsman_decisions", "Prompts", ["candidate", "task", "reason"], registry=own)
        self._unassigned = Counter("pointsman_unassigned", "Prompts without a task", registry=own)
        self._share = Gauge(
            "pointsman_unassigned_share", "Share of all prompts so far without a task; 0 before any", registry=own
        )
        self._gathered = Histogram(
            "pointsman_batch_prompts", "Prompts routed together", buckets=(1, 2, 4, 8, 16, 32, 64, 256), registry=own
        )
        self._seconds = Histogram(
            "pointsman_route_seconds",
            "Seconds from a request's arrival to its answer, waiting included",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=own,
        )
        self._failures = Gauge("pointsman_failed_reloads", "Routers that couldn't be loaded", registry=own)
        self._lock = threading.Lock()
        self._prompts = self._without = 0

    def count(self, routings: Sequence[Routing]) -> None:
        """Adds what was routed together."""
        for routing in routings:
            for candidate, task, reason in zip(routing.candidate, routing.task, routing.reason_N, strict=True):
                self._decisions.labels(candidate, "none" if task is None else str(task), str(reason)).inc()
            without = int((routing.task_N < 0).sum())
            self._unassigned.inc(without)
            with self._lock:
                self._without += without
                self._prompts += len(routing)
                self._share.set(self._without / max(self._prompts, 1))
        self._gathered.observe(sum(map(len, routings)))

    def took(self, seconds: float) -> None:
        """Adds an answered request."""
        self._seconds.observe(seconds)

    def page(self, failures: int) -> bytes:
        """All figures in Prometheus' text form."""
        self._failures.set(failures)
        return generate_latest(self._registry)
