"""What would be removed from a place, found first and carried out after: a dry run only reads."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from components.asking.journal import Journal
from components.forgetting.quotes import Found, Quotes
from components.forgetting.tabular import Unreadable, read_rows, rewrite, tabular_files, unwanted
from components.forgetting.wanted import Wanted
from components.sources.fetched import put_back
from pointsman.bundle.manifest import MANIFEST

JOURNAL = "journal"
"""Folder of what was bought, beside the tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """One thing that goes."""

    words: str
    """What and where, for people."""
    path: Path
    """The file, or folder, that is changed or goes."""
    change: Callable[[Path], object]
    """What is done to the file, or would be to a copy of it; a folder goes whole."""
    url: str | None = None
    """Of the folder that the file is a copy from, and goes back to; None: it is no copy."""

    def carry_out(self) -> None:
        """Does it.

        Raises:
            TableError: the URL can't be written.
        """
        self.change(self.path)
        if self.url is not None:
            put_back(self.url, self.path)


def afterwards(planned: Iterable[Removal], quotes: Quotes, scratch: Path) -> Callable[[Path], Found]:
    """Tells of a file whether it would still quote a text if all this were carried out, by a changed copy of it.

    Args:
        planned: what would be done.
        quotes: of the texts.
        scratch: an empty folder, where a copy of one file at a time lies.
    """
    changes: dict[Path, list[Removal]] = {}
    for one in planned:
        changes.setdefault(one.path.resolve(), []).append(one)

    def within(path: Path) -> Found:
        real = path.resolve()
        if any(folder in changes for folder in real.parents):
            return Found.NO
        if real not in changes:
            return quotes.within(path)
        copy = scratch / path.name
        shutil.copyfile(path, copy)
        for one in changes[real]:
            one.change(copy)
        found = quotes.within(copy)
        copy.unlink(missing_ok=True)
        return found

    return within


def rows_of(folder: Path, wanted: Wanted, left: list[str], where: str | None = None) -> Iterator[Removal]:
    """Rows of the tables in a folder, whose journals lose the texts of all bought answers with them.

    A journal names questions by digest, so that one person's answers can't be told from others'; costs stay.

    Args:
        folder: of the tables.
        wanted: what has to go.
        left: takes a line for each file that may be a table and can't be read.
        where: the URL that the folder is a copy of, where tables go back to; None: it is no copy.

    Raises:
        InputError: a table is damaged.
    """
    found = False
    for path in tabular_files(folder):
        if path.parent.name == JOURNAL and path.suffix == ".jsonl":
            continue
        try:
            gone = unwanted(read_rows(path), wanted)
        except Unreadable as error:
            left.append(str(error) if where is None else str(error).replace(str(folder), where.rstrip("/")))
            continue
        if count := int(gone.sum()):
            found = True
            named = path if where is None else f"{where.rstrip('/')}/{path.name}"
            yield Removal(words=f"{count} rows of {named}", path=path, change=partial(rewrite, gone=gone), url=where)
    journals = sorted((folder / JOURNAL).glob("*.jsonl"))
    for path in journals if found else ():
        yield Removal(words=f"the texts of all answers in {path}", path=path, change=_blank)


def pages_of(folder: Path, quotes: Quotes) -> Iterator[Removal]:
    """Files that surely quote a prompt and can be made again, or must not stay.

    A router's files aren't among them: one that lacks a file can't be loaded, so they go whole or not at all.
    """
    for path in files_of(folder):
        if not of_router(path) and quotes.within(path) is Found.YES:
            yield Removal(words=f"{path}, which quotes it", path=path, change=Path.unlink)


def of_router(path: Path) -> bool:
    """Whether a file belongs to a bundle, or to a model version that MLflow keeps one in (`models/m-ID/`)."""
    registered = any(one.name.startswith("m-") and one.parent.name == "models" for one in path.parents)
    return registered or (path.parent / MANIFEST).is_file()


def whole(folder: Path, what: str) -> Iterator[Removal]:
    """A folder that is only a cache."""
    if folder.is_dir() and any(folder.iterdir()):
        yield Removal(words=f"{folder}, {what}", path=folder, change=shutil.rmtree)


def files_of(folder: Path) -> list[Path]:
    """All plain files below a folder, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _blank(path: Path) -> None:
    with Journal(path) as journal:
        journal.forget()
