"""What the gate asks: thresholds and error probabilities, declared before the run.

Ranges and words are said here alone: the form of a retrain in Prefect is made of them.
"""

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid", title="Gate"))
class GateConfig:
    """What a challenger must clear; declared before the run, so that no figure can move its own threshold.

    Raises:
        ValidationError: a ValueError that names each field out of its range.
    """

    parity_margin: float = Field(
        title="Quality that may be given up",
        default=0.01,
        ge=0,
        le=1,
        description="Quality that may be given up against always using the best single model: 0.01 is one point of a "
        "hundred. The interval's low end must stay above it.",
    )
    champion_margin: float = Field(
        title="Quality that may be given up against the router in service",
        default=0.01,
        ge=0,
        le=1,
        description="The same against the router in service, and against the first one of the year.",
    )
    least_savings: float = Field(
        title="Least savings",
        default=0.05,
        ge=0,
        lt=1,
        description="Share of the best single model's cost that must be saved, if quality isn't better.",
    )
    greatest_cost_ratio: float = Field(
        title="Greatest cost of a better router",
        default=2.0,
        ge=1,
        allow_inf_nan=False,
        description="Times the best single model's cost that a better router may take.",
    )
    champion_cost_ratio: float = Field(
        title="Greatest cost against the router in service",
        default=1.1,
        ge=1,
        allow_inf_nan=False,
        description="Times the cost of the router in service that one no better than it may take.",
    )
    weekly_error: float = Field(
        title="Error allowed in one retrain",
        default=0.05,
        gt=0,
        le=0.5,
        description="Probability of publishing a router that is really just at the margin, in one retrain, one-sided.",
    )
    yearly_error: float = Field(
        title="Error allowed in a year",
        default=0.05,
        gt=0,
        lt=1,
        description="Probability that a year of retrains leads below the first router of the year, margin counted.",
    )
    least_prompts: int = Field(
        title="Least number of test prompts",
        default=100,
        ge=1,
        description="Prompts below which there isn't enough evidence.",
    )
    least_share: float = Field(
        title="Least share of test prompts",
        default=0.2,
        ge=0,
        le=1,
        description="The same as a share of all prompts: gaps in the logs may leave few that can be compared.",
    )
    least_groups: int = Field(
        title="Least number of conversations",
        default=20,
        ge=1,
        description="Groups of test prompts (turns of one conversation, near-duplicates) below which there isn't "
        "enough evidence: they say one thing many times.",
    )
    most_more: float = Field(
        title="Further prompts that are worth waiting for",
        default=3.0,
        ge=0,
        allow_inf_nan=False,
        description="Up to how many times as many further prompts the answer is 'not enough evidence', not 'refused'.",
    )
    calibration_error: float = Field(
        title="Greatest calibration error",
        default=0.10,
        ge=0,
        le=1,
        description="Greatest mean distance between predicted and observed quality.",
    )
    leave_one_out_floor: float = Field(
        title="Least gain on benchmarks left out",
        default=-0.05,
        ge=-1,
        le=1,
        description="Mean gain over the best single model on benchmarks left out of training, in turn.",
    )
    latency_ms: float = Field(
        title="Greatest milliseconds to route a prompt",
        default=250.0,
        gt=0,
        allow_inf_nan=False,
        description="Greatest milliseconds of processor time to route a prompt, one at a time.",
    )
