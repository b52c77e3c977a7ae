"""A decision log at a URL, copied to a folder, since every reader reads folders; what is changed there is put back."""

from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory

import fsspec

from components.tables.errors import TableError
from pointsman.bundle.pointer import is_url
from pointsman.bundle.remote import write_remote

_PATTERNS = ("*.parquet", "events*.jsonl")


@contextmanager
def local_log(where: Path | str) -> Iterator[Path]:
    """The folder of a decision log: itself, or a copy of what a URL holds that is gone afterwards.

    Raises:
        TableError: the URL can't be read.
    """
    if not is_url(where):
        yield Path(where)
        return
    with TemporaryDirectory(prefix="pointsman-decisions-") as scratch:
        try:
            system, path = fsspec.core.url_to_fs(str(where))
            names = [str(found).rpartition("/")[2] for found in system.ls(path, detail=False)]
            for name in names:
                if any(fnmatch(name, pattern) for pattern in _PATTERNS):
                    (Path(scratch) / name).write_bytes(system.cat_file(f"{path}/{name}"))
        except Exception as error:
            # each filesystem has errors of its own
            raise TableError(f"{where}: can't be read: {error}") from error
        yield Path(scratch)


def put_back(url: str, path: Path) -> None:
    """A file of `local_log`'s copy, which was changed, takes the place of the one at the URL.

    Raises:
        TableError: the URL can't be written.
    """
    try:
        system, folder = fsspec.core.url_to_fs(url)
        write_remote(system, f"{folder}/{path.name}", path.read_bytes())
    except Exception as error:
        # each filesystem has errors of its own
        raise TableError(f"{url}: can't be written: {error}") from error
