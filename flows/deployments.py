"""What the Prefect dashboard offers to click: served by one process beside the Prefect server."""

from flows.settings import prepare_environment

prepare_environment(log_level="INFO")


def main() -> None:
    """Serves the deployments until stopped; the weekly schedule is there but off until someone switches it on."""
    from typing import cast

    from prefect import serve
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Cron

    from flows.retrain import RetrainParameters, retrain

    weekly = retrain.to_deployment(
        name="weekly",
        parameters={"parameters": RetrainParameters().model_dump(mode="json")},
        schedules=[Cron("0 3 * * 1", timezone="UTC", active=False)],
        tags=["pointsman", "retrain"],
        description="Outcome logs to a judged and published router.",
        concurrency_limit=1,
    )
    serve(cast(RunnerDeployment, weekly))


if __name__ == "__main__":
    main()
