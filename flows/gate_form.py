"""The gate's conditions as a form."""

from pydantic import BaseModel, ConfigDict, Field

from components.evaluation.gate_config import GateConfig

_DEFAULT = GateConfig()


class GateParameters(BaseModel):
    """What a challenger must clear; declared before the run, so that no figure can move its own threshold."""

    model_config = ConfigDict(extra="forbid", title="Gate")

    parity_margin: float = Field(
        title="Quality that may be given up",
        default=_DEFAULT.parity_margin,
        ge=0,
        le=1,
        description="Quality that may be given up against always using the best single model: 0.01 is one point of a "
        "hundred. The interval's low end must stay above it.",
    )
    champion_margin: float = Field(
        title="Quality that may be given up against the router in service",
        default=_DEFAULT.champion_margin,
        ge=0,
        le=1,
        description="The same against the router in service, and against the first one of the year.",
    )
    least_savings: float = Field(
        title="Least savings",
        default=_DEFAULT.least_savings,
        ge=0,
        lt=1,
        description="Share of the best single model's cost that must be saved, if quality isn't better.",
    )
    greatest_cost_ratio: float = Field(
        title="Greatest cost of a better router",
        default=_DEFAULT.greatest_cost_ratio,
        ge=1,
        allow_inf_nan=False,
        description="Times the best single model's cost that a better router may take.",
    )
    champion_cost_ratio: float = Field(
        title="Greatest cost against the router in service",
        default=_DEFAULT.champion_cost_ratio,
        ge=1,
        allow_inf_nan=False,
        description="Times the cost of the router in service that one no better than it may take.",
    )
    weekly_error: float = Field(
        title="Error allowed in one retrain",
        default=_DEFAULT.weekly_error,
        gt=0,
        le=0.5,
        description="Probability of publishing a router that is really just at the margin, in one retrain.",
    )
    yearly_error: float = Field(
        title="Error allowed in a year",
        default=_DEFAULT.yearly_error,
        gt=0,
        lt=1,
        description="Probability that a year of retrains leads below the first router of the year, margin counted.",
    )
    least_prompts: int = Field(
        title="Least number of test prompts",
        default=_DEFAULT.least_prompts,
        ge=1,
        description="Prompts below which there isn't enough evidence.",
    )
    least_share: float = Field(
        title="Least share of test prompts",
        default=_DEFAULT.least_share,
        ge=0,
        le=1,
        description="The same as a share of all prompts: gaps in the logs may leave few that can be compared.",
    )
    most_more: float = Field(
        title="Further prompts that are worth waiting for",
        default=_DEFAULT.most_more,
        ge=0,
        allow_inf_nan=False,
        description="Up to how many times as many further prompts the answer is 'not enough evidence', not 'refused'.",
    )
    calibration_error: float = Field(
        title="Greatest calibration error",
        default=_DEFAULT.calibration_error,
        ge=0,
        le=1,
        description="Greatest mean distance between predicted and observed quality.",
    )
    leave_one_out_floor: float = Field(
        title="Least gain on benchmarks left out",
        default=_DEFAULT.leave_one_out_floor,
        ge=-1,
        le=1,
        description="Mean gain over the best single model on benchmarks left out of training, in turn.",
    )
    latency_ms: float = Field(
        title="Greatest milliseconds to route a prompt",
        default=_DEFAULT.latency_ms,
        gt=0,
        allow_inf_nan=False,
        description="Greatest milliseconds of processor time to route a prompt, one at a time.",
    )

    def config(self) -> GateConfig:
        """The thresholds as the gate takes them."""
        return GateConfig(**self.model_dump())
