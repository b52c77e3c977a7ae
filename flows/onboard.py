"""Onboarding as a flow: what `pointsman onboard` does, one click away."""

from argparse import Namespace

from prefect import flow
from pydantic import BaseModel, Field

from flows.buying import run_onboard
from flows.platform.forms import Folder
from flows.platform.notify import notify_failure
from flows.platform.secrets import key_from_block


class OnboardParameters(BaseModel):
    """Settings of this run; the API's key comes from the environment or the Secret block 'pointsman-llm-key'."""

    data: Folder = Field(
        title="Folder of logs", description="Folder of the tables, which name the candidate and its prices."
    )
    model: str = Field(title="Candidate", default="", description="The candidate.")
    url: str = Field(
        title="Address of the candidates",
        default="",
        description="Where missing answers are bought; empty: nothing is.",
    )
    budget: float = Field(title="Budget in USD", default=1.0, gt=0, description="USD that are never exceeded.")
    judge: str = Field(
        title="Name of the judge", default="", description="Who grades answers that have no reference, at the same URL."
    )
    probes: int = Field(title="Graded answers to reach", default=200, ge=20, description="Graded answers to reach.")
    max_output_tokens: int = Field(
        title="Longest answer in tokens", default=1024, ge=1, description="Where answers are cut."
    )
    margin: float = Field(
        title="Quality that may be lost", default=0.01, ge=0, le=1, description="Quality that may be lost at most."
    )
    seed: int = Field(title="Seed", default=0, ge=0, description="Same seed and tables: same folds.")
    retire: bool = Field(
        title="Take the candidate out",
        default=False,
        description="Take the candidate out of the router in service instead.",
    )


@flow(name="onboard", log_prints=True, on_failure=[notify_failure], on_crashed=[notify_failure])
def onboard(parameters: OnboardParameters) -> int:
    """Adds a candidate to the router in service from few graded answers; nothing else is trained again."""
    key_from_block()
    return run_onboard(Namespace(**parameters.model_dump()))
