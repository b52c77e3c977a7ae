"""Reading files that somebody else may have put there: no links, no devices, nothing larger than expected."""

import os
import stat
from pathlib import Path

from pointsman.errors import BundleError


def read_plain(path: Path, largest: int) -> bytes:
    """Content of a regular file. Links and devices aren't followed, and a pipe doesn't make the reader wait.

    Args:
        path: the file.
        largest: bytes that it may have; a sparse file of more isn't read.

    Raises:
        FileNotFoundError: there is none.
        BundleError: it is no plain file of at most so many bytes, or can't be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > largest:
                raise BundleError(f"{path} is no plain file of at most {largest} bytes")
            # it may grow meanwhile
            content = file.read(largest + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BundleError(f"{path} can't be read as a plain file: {error.strerror}") from None
    if len(content) > largest:
        raise BundleError(f"{path} is no plain file of at most {largest} bytes")
    return content
