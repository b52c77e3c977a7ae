"""A retrain on simulated logs, in an installation of its own: whatever it publishes, the router in service stays."""

import subprocess
import sys

from prefect import flow
from pydantic import BaseModel, Field

from flows.platform import paths
from flows.platform.settings import environment_of
from flows.presets import PresetName


class DemoParameters(BaseModel):
    """Settings of the demonstration."""

    preset: PresetName = Field(
        title="Size of the simulated logs",
        default="smoke",
        description="'smoke': 1,000 prompts, some minutes; 'full': 4,200.",
    )
    seed: int = Field(title="Seed", default=0, ge=0, description="Same seed: same simulated logs, same router.")


@flow(name="demo", log_prints=True)
def demo(parameters: DemoParameters) -> str:
    """Trains, judges and publishes a router of simulated logs inside `data/demo`; the folder's path."""
    home = paths.demo()
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pointsman", "retrain", "--preset", parameters.preset]
    with subprocess.Popen(  # noqa: S603
        [*command, "--seed", str(parameters.seed)],
        env=environment_of(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            for line in process.stdout or ():
                print(line.rstrip())
        except BaseException:
            process.terminate()
            raise
    if process.returncode not in {0, 1}:
        raise RuntimeError(
            f"the retrain on simulated logs ended with exit code {process.returncode}; its lines are above"
        )
    print(f"dashboards of the demonstration: pointsman ui --home {home}")
    return str(home)
