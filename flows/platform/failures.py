"""A person's mistake is one line in every log: Prefect's tracebacks stay for errors that no message foresees."""

import logging
import traceback

from pointsman.cli import one_line

OURS = ("pointsman", "components", "flows")
_LOGGERS = ("prefect.flow_runs", "prefect.task_runs")


def foreseen(error: BaseException) -> bool:
    """Whether one of our own checks raised this error for input that can't be used, with a message for a person.

    The same kinds raised inside a library are a fault of ours, whose traceback is wanted.
    """
    if hasattr(error, "errors") and type(error).__name__ == "ValidationError":  # a form's, from pydantic
        return True
    if not isinstance(error, ValueError | FileNotFoundError):
        return False
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and str(frames[-1].f_globals.get("__name__", "")).partition(".")[0] in OURS


class OneLine(logging.Filter):
    """Takes the traceback, and the second telling of the same error, from records of foreseen errors."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record through, some of them shorter."""
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if error is not None and foreseen(error):
            record.msg, record.args = one_line(error), ()
            record.exc_info = record.exc_text = None
        return True


def quiet_foreseen_errors() -> None:
    """Puts the filter before the loggers of runs, once; the handlers, Prefect's page among them, come after it."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(one, OneLine) for one in logger.filters):
            logger.addFilter(OneLine())
