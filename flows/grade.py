"""Grading as a flow: what `pointsman grade` does, one click away."""

from argparse import Namespace
from typing import Literal

from prefect import flow
from pydantic import BaseModel, Field

from flows.buying import run_grade
from flows.platform.forms import Folder
from flows.platform.notify import notify_failure
from flows.platform.secrets import key_from_block


class GradeParameters(BaseModel):
    """Settings of this run; the API's key comes from the environment or the Secret block 'pointsman-llm-key'."""

    data: Folder = Field(title="Folder of logs", description="Folder of the tables.")
    by: Literal["reference", "judge", "feedback", "preference"] = Field(
        title="Who grades",
        default="reference",
        description="Who grades: right answers in the prompts, a model, users, or pairwise votes.",
    )
    url: str = Field(
        title="Address of the judge",
        default="",
        description="Base of an OpenAI-compatible API, for a judge; empty: POINTSMAN_LLM_URL.",
    )
    model: str = Field(title="Name of the judge", default="", description="The judge's name there.")
    budget: float = Field(title="Budget in USD", default=1.0, gt=0, description="USD that a judge never exceeds.")
    pairwise: bool = Field(
        title="Compare two answers at a time",
        default=False,
        description="The judge compares two answers, in both orders.",
    )
    max_output_tokens: int = Field(
        title="Longest word of the judge in tokens", default=2000, ge=1, description="Where the judge's words are cut."
    )
    forget: bool = Field(
        title="Delete the answers afterwards", default=False, description="Delete the texts of all answers afterwards."
    )


@flow(name="grade", log_prints=True, on_failure=[notify_failure], on_crashed=[notify_failure])
def grade(parameters: GradeParameters) -> int:
    """Gives the answers of a folder grades, and derives quality from them."""
    key_from_block()
    return run_grade(Namespace(**parameters.model_dump()))
