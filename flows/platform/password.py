"""The one password of both dashboards: made once, in a file that its owner alone reads, never in argv."""

import os
import secrets as chance
from pathlib import Path

from flows.platform import paths
from pointsman.bundle.plain import read_plain

USER = "pointsman"
_FILE = "dashboards"


def ensure_password() -> tuple[str, bool]:
    """The password in the installation's file, and whether it was made just now."""
    known = kept_password()
    if known is not None:
        return known, False
    folder = kept_in().parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    made = chance.token_urlsafe(24)
    try:
        handle = os.open(kept_in(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        # another process was quicker
        return ensure_password()
    with os.fdopen(handle, "w") as file:
        file.write(f"{made}\n")
    return made, True


def kept_in() -> Path:
    """The file of the password."""
    return paths.secrets() / _FILE


def kept_password() -> str | None:
    """The password in the installation's file; None: there is none yet."""
    try:
        return read_plain(kept_in(), 4096).decode().strip() or None
    except FileNotFoundError:
        return None


def client_variables(password: str | None) -> dict[str, str]:
    """What Prefect's and MLflow's own clients read; nothing where there is no password."""
    if password is None:
        return {}
    return {
        "PREFECT_API_AUTH_STRING": f"{USER}:{password}",
        "MLFLOW_TRACKING_USERNAME": USER,
        "MLFLOW_TRACKING_PASSWORD": password,
    }


def server_variables(password: str | None) -> dict[str, str]:
    """What Prefect's server reads beside, so that it asks everybody for it."""
    return {} if password is None else {"PREFECT_SERVER_API_AUTH_STRING": f"{USER}:{password}"}
