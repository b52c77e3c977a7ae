"""What the Prefect dashboard offers to click: served beside the Prefect server, or given to a pool of workers.

infra/prefect.yaml, for those who deploy with Prefect's own command, is written by
`python -m flows.platform.deployments yaml`; a test holds the two together.
"""

import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows.platform.offers import OFFERS, Offer, defaults, load
from flows.platform.settings import prepare_environment

if TYPE_CHECKING:
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.deployments.runner import RunnerDeployment

POOL = "pointsman"
_HEADER = "# Written by `python -m flows.platform.deployments yaml`: edit that module, not this file.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a server has of a deployment, as somebody left it."""

    schedules: "list[DeploymentScheduleCreate]"
    parameters: Mapping[str, Any]


def standing(offer: Offer) -> Standing | None:
    """The schedules and parameters that the server has; of one under its former name the schedules. None: neither."""
    from prefect import get_client
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.exceptions import ObjectNotFound

    with get_client(sync_client=True) as client:
        for name in filter(None, (offer.name, offer.formerly)):
            with suppress(ObjectNotFound):
                found = client.read_deployment_by_name(f"{load(offer).name}/{name}")
                return Standing(
                    schedules=[
                        DeploymentScheduleCreate(
                            schedule=s.schedule, active=s.active, parameters=s.parameters, slug=s.slug
                        )
                        for s in found.schedules
                    ],
                    # its defaults were others then
                    parameters=found.parameters if name == offer.name else {},
                )
    return None


def edited(new: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    """The new form's values, each as it is in the old one where that has it; what the form no longer asks is left out.

    >>> edited({"a": 1, "deep": {"b": 2, "c": 3}}, {"a": 5, "deep": {"b": 6}, "gone": 7})
    {'a': 5, 'deep': {'b': 6, 'c': 3}}
    """
    return {
        name: edited(value, old[name])
        if isinstance(value, Mapping) and isinstance(old.get(name), Mapping)
        else old.get(name, value)
        for name, value in new.items()
    }


def deployment(offer: Offer, kept: Standing | None = None) -> "RunnerDeployment":
    """The deployment as Prefect wants it.

    Args:
        offer: what to deploy.
        kept: schedules and parameters to keep, since Prefect forgets what isn't sent again; None: the offer's own,
            its schedule switched off.
    """
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Cron
    from prefect.types.entrypoint import EntrypointType

    from flows.platform.automations import retrain_on_drift

    made = load(offer).to_deployment(
        name=offer.name,
        description=offer.description,
        tags=offer.tags,
        parameters=edited(defaults(offer), kept.parameters if kept else {}),
        schedules=[Cron(offer.cron, timezone="UTC", active=False)] if offer.cron else None,
        concurrency_limit=(
            ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)
            if offer.writes
            else None
        ),
        triggers=[retrain_on_drift()] if offer.on_drift else None,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    assert isinstance(made, RunnerDeployment)  # noqa: S101  # for mypy: outside a loop it isn't awaitable
    for form in made._parameter_openapi_schema.properties.values():
        # else it has the name of the flow's argument
        form["title"] = "Settings"
    if kept is not None:
        made.schedules = [*kept.schedules]
    return made


def remove_former() -> None:
    """Removes deployments under the names of an earlier version, once the new ones are there; call after `standing`."""
    from prefect import get_client
    from prefect.exceptions import ObjectNotFound

    with get_client(sync_client=True) as client:
        for offer in OFFERS:
            if offer.formerly is not None:
                with suppress(ObjectNotFound):
                    client.delete_deployment(client.read_deployment_by_name(f"{load(offer).name}/{offer.formerly}").id)


def watch_for_zombies() -> None:
    """Tells the server what to do with runs whose process and worker died together."""
    from prefect import get_client

    from flows.platform.zombies import automations, install

    wanted = automations(
        [load(offer).name for offer in OFFERS if offer.resumes],
        [load(offer).name for offer in OFFERS if not offer.resumes],
    )
    with get_client(sync_client=True) as client:
        install(wanted, client)


def as_yaml() -> str:
    """infra/prefect.yaml: the same deployments for a pool of workers."""
    import yaml

    from flows.platform.automations import retrain_on_drift

    entries: list[dict[str, Any]] = []
    for offer in OFFERS:
        # filled in where `prefect deploy` runs
        folders = {name: f"{{{{ $POINTSMAN_HOME }}}}/{folder}" for name, folder in offer.folders.items()}
        entry: dict[str, Any] = {
            "name": offer.name,
            "entrypoint": offer.flow,
            "description": offer.description,
            "tags": offer.tags,
            # what isn't here are the flow's own defaults, as they are in the version that runs
            "parameters": dict.fromkeys(defaults(offer), folders),
            "work_pool": {"name": POOL},
        }
        if offer.cron:
            entry["schedules"] = [{"cron": offer.cron, "timezone": "UTC", "active": False}]
        if offer.on_drift:
            # what is as it is by default stays out
            entry["triggers"] = [{"type": "event", **retrain_on_drift().model_dump(mode="json", exclude_unset=True)}]
        if offer.writes:
            entry["concurrency_limit"] = {"limit": 1, "collision_strategy": "ENQUEUE"}
        entries.append(entry)
    # flows are imported from the installed package, so that there is nothing to pull
    whole = {"name": "pointsman", "pull": [], "deployments": entries}
    text: str = yaml.safe_dump(whole, sort_keys=False, width=120, allow_unicode=True)
    return _HEADER + text


def deploy() -> None:
    """Gives the deployments to the pool, which is made if there is none; again after an upgrade, it renews them."""
    from prefect import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists

    with get_client(sync_client=True) as client:
        try:
            client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        except ObjectAlreadyExists:
            print(f"pool {POOL} is there already")
    for offer in OFFERS:
        deployment(offer, standing(offer)).apply(work_pool_name=POOL)
        print(f"deployed {load(offer).name}/{offer.name}")
    remove_former()
    watch_for_zombies()


def main(arguments: list[str]) -> None:
    """Serves the deployments until stopped; with `deploy` gives them to the pool, with `yaml` prints prefect.yaml.

    Raises:
        SystemExit: neither of these was asked for.
    """
    prepare_environment(log_level="INFO")
    match arguments:
        case ["yaml"]:
            sys.stdout.write(as_yaml())
        case ["deploy"]:
            deploy()
        case []:
            from prefect import serve

            watch_for_zombies()
            made = [deployment(offer, standing(offer)) for offer in OFFERS]
            remove_former()
            serve(*made)
        case _:
            raise SystemExit("usage: python -m flows.platform.deployments [deploy | yaml]")


if __name__ == "__main__":
    main(sys.argv[1:])
