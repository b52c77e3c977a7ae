"""Station 9: the gate's verdict carried out, and the pointer to the router in service."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel

from components.release.canary import canary_of
from components.release.history import last_word, left_by_rollback, read_history, serving
from components.release.lock import hold
from components.release.mirror import in_service_at, mirror
from components.release.publish import publish, refuse, rollback
from components.release.repair import carry_forward, pointer_or_damage
from components.release.signing import sign_bundle
from components.release.verdicts import VoidVerdict
from components.reports.ending import Verdict
from components.reports.markdown import describe
from components.reports.page import PAGE
from components.sources.fetched import local_log
from components.tracking.abandoned import close_abandoned
from components.tracking.reach import cause_of
from components.tracking.registry import Registry
from flows.platform import paths
from flows.platform.settings import settings
from flows.platform.tracking import maker_alive, registry, run_url
from flows.stations.pages import with_ending, write_again
from flows.stations.register import Challenger, page_folder
from flows.stations.verdicts import require_verdict, sign_promoted, waiting_bundle
from pointsman.bundle.pointer import is_url
from pointsman.bundle.reading import read_bundle, read_report
from pointsman.errors import InputError

Approver = Literal["gate", "canary", "person"]
"""Whose word publishes what passed the gate: the gate's own, a canary's success, or somebody's `promote`."""


class Verdicted(BaseModel, frozen=True):
    """How a retrain ended."""

    verdict: Verdict
    reasons: tuple[str, ...]
    router_id: str
    bundle: Path
    report: Path
    run_id: str
    run_url: str
    """The run in MLflow, for a browser."""
    version: str


@task(name="promote", cache_policy=NO_CACHE)
def promote(challenger: Challenger, approve: Approver = "gate") -> Verdicted:
    """Publishes a challenger that passed the gate, or lets it wait; records one that didn't. The history knows all."""
    return conclude(challenger, approve=approve)


def conclude(
    challenger: Challenger, reason: str = "", approve: Approver = "gate", allowed: Callable[[], None] | None = None
) -> Verdicted:
    """Carries out the verdict that a bundle's report holds.

    Args:
        challenger: a bundle that was judged here.
        reason: why it is published, for the history; empty: it passed the gate.
        approve: whose word publishes it, if it passed the gate.
        allowed: raises where it mustn't be published although its verdict holds; None: nothing else is asked.
    """

    def permit() -> None:
        require_verdict(challenger.bundle)
        if allowed is not None:
            allowed()

    report = dict(read_bundle(challenger.bundle).report)
    gate, mlflow = report["gate"], registry()
    failed = [_reason(one) for one in gate["criteria"] if not one["passed"]]
    verdict: Verdict = gate["verdict"]
    bundle = challenger.bundle
    if verdict == "promoted":
        passed = reason or "every criterion passed"
        try:
            permit()
            sign_bundle(challenger.bundle, paths.publish_key())
            if approve == "gate":
                # asked again under the lock: two commands at once would each find what the other is about to replace
                publish(challenger.bundle, paths.published(), reasons=[passed], permit=permit)
                bundle = paths.published() / challenger.router_id
            else:
                verdict = _wait(challenger, approve, passed)
        except VoidVerdict as void:
            verdict, failed = "refused", [str(void)]
    if verdict in ("refused", "not enough evidence"):
        refuse(paths.published(), challenger.router_id, failed, verdict=verdict)
    try:
        # gateways before MLflow, which may have to be waited for
        announce()
    finally:
        _tell(challenger, verdict, mlflow)
    return _ended(challenger, verdict, tuple(failed), bundle, mlflow)


def _tell(challenger: Challenger, verdict: Verdict, mlflow: Registry) -> None:
    """Notes on the router's page, its version and its run how it ended; what was published is champion."""
    # description and page were written, and kept in the run, before anybody knew
    described = describe(with_ending(read_report(challenger.bundle), challenger.router_id))
    folder = write_again(challenger.bundle)
    with _in_service_all_the_same() if verdict == "promoted" else nullcontext():
        if verdict == "promoted":
            _crown(mlflow)
        mlflow.tag(challenger.version, {"verdict": verdict})
        mlflow.describe(challenger.version, described)
        mlflow.log(challenger.run_id, tags={"verdict": verdict, "mlflow.note.content": described})
        if folder is not None:
            mlflow.log_folder(challenger.run_id, folder, "report")


def _crown(mlflow: Registry) -> None:
    """Makes the version in service MLflow's champion."""
    with hold(paths.published()):
        carry_forward(paths.published(), mlflow)


@contextmanager
def _in_service_all_the_same() -> Iterator[None]:
    """Lets the work succeed where MLflow can't be told: history and pointer are here, and `doctor` repairs the rest."""
    try:
        yield
    except Exception as error:
        # each store of MLflow has errors of its own
        print(f"MLflow can't be told ({cause_of(error)}): its champion follows with `pointsman doctor`")


def _ended(
    challenger: Challenger, verdict: Verdict, reasons: tuple[str, ...], bundle: Path, mlflow: Registry
) -> Verdicted:
    """How it ended."""
    return Verdicted(
        verdict=verdict,
        reasons=reasons,
        router_id=challenger.router_id,
        bundle=bundle,
        report=page_folder(challenger.router_id) / PAGE,
        run_id=challenger.run_id,
        run_url=run_url(mlflow, challenger.run_id),
        version=challenger.version,
    )


def _wait(challenger: Challenger, approve: Literal["canary", "person"], passed: str) -> Verdict:
    """Puts a challenger that passed the gate where it waits for another word, and says so in the history."""
    if approve == "canary":
        publish(challenger.bundle, paths.canary(), reasons=[passed])
        told = f"{passed}; pointsman serve --shadow {paths.canary()} --canary SHARE tries it"
        refuse(paths.published(), challenger.router_id, [told], verdict="to canary")
        return "to canary"
    told = f"{passed}; pointsman promote publishes it"
    refuse(paths.published(), challenger.router_id, [told], verdict="awaits approval")
    return "awaits approval"


def _reason(criterion: dict[str, Any]) -> str:
    """A failed condition: what was found, and what to do."""
    found = criterion.get("words") or f"{criterion['figure']}, threshold {criterion['threshold']}"
    return f"{criterion['name']}: {found}. {criterion.get('advice', '')}".rstrip()


def promote_waiting(reason: str = "", force: bool = False, canary: Path | str | None = None) -> Verdicted:
    """Concludes the registry's challenger; `doctor` repairs what a crash may have left.

    A router that was in service and was left by a rollback isn't put back: `rollback` names it if that is wanted. Nor
    is one published that passed the gate and was refused since, as by its canary.

    Args:
        reason: for the history.
        force: also if a rollback left it, or it was refused since the gate passed it.
        canary: decision log of the server that tries it: it is published if it succeeded there, refused if it was
            stopped, and goes on waiting before either, of which nothing is noted; None: the gate's verdict, and
            whoever calls, are enough. A router that is in service already stays so, whatever the log says.

    Raises:
        ValueError: no challenger is registered, its name is no router's, it wasn't judged here, it was left by a
            rollback, its last word is a refusal, or the canary's log can't be read.
    """
    mlflow = registry()
    close_abandoned(mlflow, maker_alive)
    waiting = mlflow.challenger()
    if waiting is None:
        raise ValueError("no challenger is registered: run `pointsman retrain` first")
    bundle_folder = waiting_bundle(waiting.router_id)
    challenger = Challenger(
        bundle=bundle_folder, router_id=waiting.router_id, run_id=waiting.run_id, version=waiting.version
    )
    if not force:
        _require_not_left(waiting.router_id)
    if canary is not None:
        # a retrain's log may be yet to come, a canary's isn't
        if not is_url(canary) and not Path(canary).is_dir():
            raise InputError(f"{canary}: no such folder")
        with local_log(canary) as folder:
            tried = canary_of(folder, waiting.router_id)
        if _is_in_service(waiting.router_id):
            return _ended(challenger, "promoted", ("it is in service already",), bundle_folder, mlflow)
        if tried is None:
            return _ended(challenger, "to canary", ("the canary goes on",), bundle_folder, mlflow)
        if tried.stopped:
            why = f"the canary was stopped: {tried.words}"
            refuse(paths.published(), challenger.router_id, [why])
            _tell(challenger, "refused", mlflow)
            return _ended(challenger, "refused", (why,), bundle_folder, mlflow)
        passed = f"the canary succeeded: {tried.words}"
        reason = f"{reason}; {passed}" if reason else passed

    def allowed() -> None:
        _require_not_left(waiting.router_id)
        _require_no_refusal(waiting.router_id)

    return conclude(challenger, reason, allowed=None if force else allowed)


def _is_in_service(router_id: str) -> bool:
    """Whether history and pointer agree on it; where they don't, a promotion broke off that is to be finished."""
    last = serving(read_history(paths.published()))
    return last is not None and last.router_id == router_id == pointer_or_damage(paths.published())


def _require_not_left(router_id: str) -> None:
    """Leaves alone what a rollback took out of service.

    Raises:
        ValueError: that is so.
    """
    if left_by_rollback(read_history(paths.published()), router_id):
        raise ValueError(
            f"router {router_id[:12]} was in service and was left by a rollback: it isn't promoted again. "
            f"To put it back: pointsman rollback --to {router_id[:12]}"
        )


def _require_no_refusal(router_id: str) -> None:
    """Leaves alone what the gate passed and somebody else, such as a canary, refused since.

    Raises:
        ValueError: that is so.
    """
    last = last_word(read_history(paths.published()), router_id)
    if last is not None and last.verdict == "refused":
        raise ValueError(
            f"router {router_id[:12]} was refused: {'; '.join(last.reasons)}. `pointsman retrain` judges "
            "anew; to publish it all the same: pointsman promote --force"
        )


def roll_back(to: str | None, reason: str = "") -> str:
    """Returns to an earlier router; its id. It needs no MLflow: the champion follows, or `doctor` repairs it.

    Where the last rollback didn't reach the URL that gateways read, that is finished first: nothing goes back twice.
    """
    if to is None and (unfinished := _unannounced()):
        to = unfinished
    reasons = [reason] if reason else []
    target = rollback(paths.published(), to, reasons=reasons, copies=[paths.bundles()])
    sign_promoted(target)
    try:
        announce()
    finally:
        with _in_service_all_the_same():
            _crown(registry())
    return target


def _unannounced() -> str | None:
    """The router that the last rollback returned to, where gateways that read the URL don't have it yet."""
    url, last = settings().publish_url, serving(read_history(paths.published()))
    if url is None or last is None or last.verdict != "rolled_back":
        return None
    return None if in_service_at(url) == last.router_id else last.router_id


def announce() -> None:
    """Brings the URL that POINTSMAN_PUBLISH_URL names up to what is in service here."""
    if url := settings().publish_url:
        mirror(paths.published(), url)
