"""What the command line's options take: each refuses, by the option's name, what can't be meant."""

import argparse
from pathlib import Path


def given(text: str) -> str:
    """Text that isn't empty: an option with "$LOG" of a variable that isn't set doesn't mean the current folder.

    >>> given("logs")
    'logs'

    Raises:
        ArgumentTypeError: it is blank.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def path(text: str) -> Path:
    """A file's or a folder's path.

    >>> path("data/logs").name
    'logs'

    Raises:
        ArgumentTypeError: it is blank.
    """
    return Path(given(text))


def location(text: str) -> Path | str:
    """A path, or a URL as it is.

    >>> location("s3://bucket/routers")
    's3://bucket/routers'

    Raises:
        ArgumentTypeError: it is blank.
    """
    return text if "://" in text else path(text)


def port(text: str) -> int:
    """A port's number.

    >>> port("8080")
    8080

    Raises:
        ArgumentTypeError: it is none.
    """
    if not text.isdecimal() or not int(text) < 65536:
        raise argparse.ArgumentTypeError(f"must be a port, 1 to 65535, got {text!r}")
    return int(text)


def seed(text: str) -> int:
    """A seed, 0 or more.

    >>> seed("7")
    7

    Raises:
        ArgumentTypeError: it is none.
    """
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"must be a whole number, 0 or more, got {text!r}")
    return int(text)


def share(text: str) -> float:
    """A number from 0 to 1.

    >>> share("0.01")
    0.01

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1, got {text!r}")
    return number
