"""What Prefect does by itself when something happens: triggers that deployments carry, made anew with each of them."""

from prefect.events import DeploymentEventTrigger

from flows.drift import EVENT

RETRAIN_ON_DRIFT = "retrain when prompts drift"


def retrain_on_drift() -> DeploymentEventTrigger:
    """Every drift event of any router runs the deployment once, with its own parameters.

    A second event while it runs waits for the deployment's concurrency limit.
    """
    return DeploymentEventTrigger(
        name=RETRAIN_ON_DRIFT,
        description="`pointsman drift` found that recent prompts are no longer those the router was trained on.",
        expect={EVENT},
        match={"prefect.resource.id": "pointsman.router.*"},
        threshold=1,
    )
