"""A process ends with the one that started it, as after a kill: nobody else would end it."""

import os
import signal
import threading
import time

from components.tracking.owner import Owner, parse_owner, this_process

_STARTER = "POINTSMAN_STARTED_BY"
_LOOK_S = 1.0
_PATIENCE_S = 10.0


def ending_with_this() -> dict[str, str]:
    """Environment variable by which a process, and all that it starts, ends with this one."""
    return {_STARTER: str(this_process())}


def named_starter() -> Owner | None:
    """The process with which this one is to end, by its environment; None: none is named."""
    return parse_owner(os.environ.get(_STARTER, ""))


def end_with(starter: Owner) -> None:
    """Ends this process soon after another one is gone: first as Ctrl-C would, then by force."""

    def watch() -> None:
        while starter.alive is not False:
            time.sleep(_LOOK_S)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_PATIENCE_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
