"""What of Prefect's log belongs on the terminal of somebody who runs a command: warnings, and nothing said twice."""

import logging

from prefect.logging.handlers import PrefectConsoleHandler

from flows.platform.failures import OURS

_RUNS = ("prefect.flow_runs", "prefect.task_runs")


class TerminalHandler(PrefectConsoleHandler):
    """Prefect's console without its progress, which a bar shows, and without errors, which the command ends with."""

    def emit(self, record: logging.LogRecord) -> None:
        """Shows a record that a person at the terminal can act on."""
        if record.levelno >= logging.WARNING and not (record.name in _RUNS and record.levelno >= logging.ERROR):
            super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        """What we say as a note, like those of the stations; what a library says with the time and its name."""
        if record.name in _RUNS or record.name.partition(".")[0] in OURS:
            return f"note: {record.getMessage()}"
        return super().format(record)
