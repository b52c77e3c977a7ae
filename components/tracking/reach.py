"""What is told of an MLflow that can't be used: its address without a password, and the cause without the rest."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from pointsman.errors import InputError


class Unreachable(InputError):
    """Nothing answers at MLflow's address, or nothing that is MLflow."""


@contextmanager
def reaching(uri: str) -> Iterator[None]:
    """Makes one line of whatever MLflow raises while a server's or a database's address is opened.

    An SQLite file is on this machine, whose own refusals (locked, full, read-only) have words already.

    Args:
        uri: MLflow's address; its password isn't told.

    Raises:
        Unreachable: the block raised.
    """
    try:
        yield
    except Exception as error:
        # each store and each driver has errors of its own
        if uri.startswith("sqlite:"):
            raise
        raise Unreachable(
            f"MLflow at {shown(uri)} can't be used: {cause_of(error)}; start it, or set POINTSMAN_MLFLOW_URI right"
        ) from error


def shown(uri: str) -> str:
    """An address without user, password and options.

    >>> shown("postgresql+psycopg2://me:secret@db:5432/line?options=x")
    'postgresql+psycopg2://db:5432/line'
    """
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def cause_of(error: BaseException) -> str:
    """The first line of the error that an error began with; those around it quote addresses with what is in them.

    >>> try:
    ...     try:
    ...         raise ConnectionRefusedError(111, "Connection refused")
    ...     except OSError as first:
    ...         raise RuntimeError("http://me:secret@mlflow can't be read") from first
    ... except RuntimeError as second:
    ...     print(cause_of(second))
    [Errno 111] Connection refused
    """
    while (before := error.__cause__ or error.__context__) is not None:
        error = before
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
