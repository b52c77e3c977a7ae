"""Buying answers as a flow: what `pointsman collect` does, one click away."""

from argparse import Namespace
from typing import Annotated

from prefect import flow
from pydantic import BaseModel, Field

from flows.buying import run_collect
from flows.platform.forms import MAY_BE_EMPTY, Folder
from flows.platform.notify import notify_failure
from flows.platform.secrets import key_from_block


class CollectParameters(BaseModel):
    """Settings of this run; the API's key comes from the environment or the Secret block 'pointsman-llm-key'."""

    data: Folder = Field(title="Folder of logs", description="Folder of the tables.")
    url: str = Field(
        title="Address of the candidates",
        default="",
        description="Base of an OpenAI-compatible API; empty: POINTSMAN_LLM_URL.",
    )
    budget: float = Field(title="Budget in USD", default=1.0, gt=0, description="USD that are never exceeded.")
    candidates: str = Field(
        title="Candidates to ask", default="", description="Who is asked, with commas between; empty: all not retired."
    )
    prompts: Annotated[int | None, MAY_BE_EMPTY] = Field(
        title="Number of prompts", default=None, ge=1, description="How many to probe; empty: what the budget reaches."
    )
    dry_run: bool = Field(title="Only print the bill", default=True, description="Print the bill and ask nothing.")
    max_output_tokens: int = Field(
        title="Longest answer in tokens", default=1024, ge=1, description="Where answers are cut."
    )
    seed: int = Field(title="Seed", default=0, ge=0, description="Same seed and tables: same probes.")


@flow(name="collect", log_prints=True, on_failure=[notify_failure], on_crashed=[notify_failure])
def collect(parameters: CollectParameters) -> int:
    """Chooses probes, prints the bill, asks the candidates and appends what they answer to the tables."""
    key_from_block()
    return run_collect(Namespace(**parameters.model_dump()))
