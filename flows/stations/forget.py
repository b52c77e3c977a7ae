"""`pointsman forget`: prompts leave every place of an installation that holds them, and what is left is named."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from components.drift.reference import Reference
from components.forgetting.quotes import Found, Quotes
from components.forgetting.removal import Removal, afterwards, files_of, of_router, pages_of, rows_of, whole
from components.forgetting.samples import vectors_of
from components.forgetting.tabular import is_tabular
from components.forgetting.wanted import Asked, Wanted, find_wanted
from components.sources.fetched import local_log
from flows.platform import paths
from flows.platform.arrays import load_arrays
from flows.stations.drift_reference import reference_path, write_reference
from pointsman.bundle.pointer import is_url
from pointsman.bundle.reading import read_bundle
from pointsman.durable import write_whole
from pointsman.errors import BundleError

Within = Callable[[Path], Found]
"""Whether a file quotes a prompt."""
ELSEWHERE = (
    "backups, other installations, addresses that routers are published to, and what a version control system keeps",
    "the weights of routers that learnt from it, from which no prompt can be read; a retrain replaces them",
)
"""What no command here can reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was, or would be, removed, and what a person has to look after."""

    prompts: int
    """Distinct texts."""
    removed: tuple[str, ...]
    left: tuple[str, ...]
    """Places here that still quote a prompt, or couldn't be looked at."""


def forget(asked: Asked, tables: Sequence[Path], logs: Sequence[str], *, dry_run: bool) -> Forgotten:
    """Removes prompts from tables, decision logs, caches, samples, reports and MLflow's files, and looks at the rest.

    Stop servers and runs before: what they hold in memory is written afterwards.

    Args:
        asked: which prompts.
        tables: folders of tables besides data/logs and data/recent.
        logs: folders and URLs of decision logs.
        dry_run: only says what would go, and what would be left.

    Raises:
        InputError: nothing of it is known, or a table or a log's segment is damaged; nothing was changed then.
        TableError: a log's URL can't be read or written; the same call goes on.
    """
    urls = [log for log in dict.fromkeys(logs) if is_url(log)]
    own = (paths.logs(), paths.recent(), paths.spool(), *tables, *(Path(log) for log in logs if not is_url(log)))
    folders = [folder for folder in dict.fromkeys(own) if folder.is_dir()]
    left: list[str] = []
    with ExitStack() as opened:
        copies = {url: opened.enter_context(local_log(url)) for url in urls}
        wanted = find_wanted(asked, [*folders, *copies.values()])
        quotes = Quotes(wanted.texts)
        # what can fail for others' reasons first: the tables here still tell then which decisions are meant
        remote = [one for url, copy in copies.items() for one in rows_of(copy, wanted, left, url)]
        planned = [*remote, *_rows(folders, wanted, left), *_samples(wanted, left), *_caches(), *_pages(quotes)]
        within: Within = quotes.within
        if dry_run:
            within = afterwards(planned, quotes, Path(opened.enter_context(TemporaryDirectory())))
        else:
            for one in planned:
                one.carry_out()
        left += _left(within, folders)
        left += _left_at(within, copies)
    return Forgotten(prompts=len(wanted.texts), removed=tuple(one.words for one in planned), left=tuple(left))


def _rows(folders: Sequence[Path], wanted: Wanted, left: list[str]) -> Iterator[Removal]:
    seen = set()
    for folder in (*folders, paths.frozen(), paths.tasks(), paths.embeddings()):
        for one in rows_of(folder, wanted, left):
            # folders may lie in one another, or be named twice: the rows that were found are of the file as it is now
            if (real := one.path.resolve()) not in seen:
                seen.add(real)
                yield one


def _caches() -> Iterator[Removal]:
    yield from whole(paths.stages(), "which is a cache: the next retrain makes it again")


def _pages(quotes: Quotes) -> Iterator[Removal]:
    for folder in (paths.reports(), paths.drift(), paths.artifacts(), paths.language_model()):
        yield from pages_of(folder, quotes)


def _samples(wanted: Wanted, left: list[str]) -> Iterator[Removal]:
    """Each router's drift sample without the prompts' vectors; its own encoder says which those are."""
    for folder in sorted(path for path in paths.drift().glob("*") if reference_path(path.name).is_file()):
        sample, path = load_arrays(Reference, reference_path(folder.name)), reference_path(folder.name)
        try:
            bundle = read_bundle(paths.bundles() / folder.name)
        except BundleError as error:
            left.append(f"{path} can't be looked at, for its router can't be read ({error}): delete it")
            continue
        gone_K = vectors_of(sample.embedding_KD, bundle.encoder().encode(list(wanted.texts)))
        if gone_K.any():
            kept = Reference(
                embedding_KD=sample.embedding_KD[~gone_K], task_K=sample.task_K[~gone_K], far_K=sample.far_K[~gone_K]
            )
            yield Removal(
                words=f"{int(gone_K.sum())} vectors of {path}",
                path=path,
                change=partial(write_whole, write=partial(write_reference, kept)),
            )


def _left(within: Within, folders: Sequence[Path]) -> Iterator[str]:
    """What still quotes it in the installation and in the folders that were named, each file once."""
    files = {path.resolve(): path for folder in (paths.home(), *folders) for path in reversed(files_of(folder))}
    for path in sorted(files.values()):
        found = within(path)
        if found is Found.YES:
            table = is_tabular(path) and any(folder in path.parents for folder in folders)
            yield f"{_words(path, found)}{_advice(path, table)}"
        elif found is not Found.NO:
            yield _words(path, found)


def _left_at(within: Within, copies: Mapping[str, Path]) -> Iterator[str]:
    """What still quotes it in logs at URLs, of which these are the copies."""
    for url, copy in copies.items():
        for path in files_of(copy):
            if (found := within(path)) is not Found.NO:
                yield _words(f"{url.rstrip('/')}/{path.name}", found)


def _words(where: object, found: Found) -> str:
    match found:
        case Found.YES:
            return f"{where} still quotes it"
        case Found.PERHAPS:
            return f"{where} may quote it: a text as short as this stands there; look at it, and delete it if it does"
        case Found.UNKNOWN:
            return f"{where} wasn't looked at, for it is packed or can't be read: look at it yourself"
        case Found.NO:
            return ""


def _advice(path: Path, table: bool) -> str:
    if table:
        return ": a text there begins as it does, in a row of another prompt or in a column that isn't looked at"
    if paths.artifacts() in path.parents and of_router(path):
        return ": a registered router's files can't be changed; retrain, then delete that model version in MLflow"
    if of_router(path) or {paths.bundles(), paths.published(), paths.canary()} & set(path.parents):
        return ": a router's files can't be changed; retrain, then delete that router's folder"
    return ""


def text_of(found: Forgotten, *, dry_run: bool) -> str:
    """What was done, for a terminal."""
    done = "would go" if dry_run else "gone"
    lines = [f"{found.prompts} prompt{'s' * (found.prompts != 1)}"]
    lines += [f"{done}: {words}" for words in found.removed] or ["nothing here holds it"]
    lines += [f"left: {words}" for words in found.left]
    lines += [f"not looked at: {words}" for words in ELSEWHERE]
    return "\n".join(lines)
