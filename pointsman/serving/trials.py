"""The trial of the challenger that is there now: who decides, which outcomes count, and how it ended."""

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pointsman.serving.canary import Arm, Canary, CanaryConfig
from pointsman.serving.jobs import Job
from pointsman.serving.log_schema import EVENTS
from pointsman.serving.meters import Meters
from pointsman.serving.remembered import Remembered


class Trials:
    """One trial after the other. Any number of threads may call it."""

    def __init__(self, config: CanaryConfig | None, meters: Meters, folder: Path | None) -> None:
        """`config` None: nobody is tried; `folder`: where a person finds how trials ended, None: nowhere."""
        self._config, self._meters, self._folder = config, meters, folder
        self._lock = threading.Lock()
        self._canary: Canary | None = None

    def arm(self, job: Job, challenger: str) -> Arm:
        """Who decides for a request; `challenger`: router_id of the one that is there now."""
        canary = self.of(challenger)
        if canary is None:
            return "champion"
        if not job.session:
            return canary.arm(job.decision_ids[0])
        # two tenants may call their sessions alike
        return canary.arm(json.dumps([job.tenant, job.session]) if job.tenant else job.session)

    def of(self, challenger: str) -> Canary | None:
        """The trial of the challenger, by its router_id; None: nobody is tried."""
        if self._config is None:
            return None
        with self._lock:
            if self._canary is None or self._canary.router_id != challenger:
                self._canary = Canary(self._config, challenger)
            return self._canary

    def told(self, decision: Remembered, before: dict[str, Any]) -> None:
        """Counts what is known of a decision now in place of what was known `before`; ends the trial if that does."""
        with self._lock:
            canary = self._canary
            # what a challenger before this one did isn't held against it
            if canary is None or (decision.arm == "challenger" and decision.router_id != canary.router_id):
                return
            counted = before if decision.trial is canary else {}
            decision.trial = canary
            if not canary.told(decision.arm, decision.figures, counted):
                return
            if canary.stopped:
                self._meters.stepped_back()
            ended, why = ("stopped", canary.stopped) if canary.stopped else ("succeeded", canary.succeeded)
            self._event({"event": f"canary {ended}", "router_id": canary.router_id, "why": why})

    def _event(self, event: dict[str, Any]) -> None:
        """Writes down what a person should find later, beside the log."""
        if self._folder is None:
            return
        line = json.dumps({"at": datetime.now(UTC).isoformat(), **event}) + "\n"
        with (self._folder / EVENTS).open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
