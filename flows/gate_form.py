"""The gate's criteria as a form."""

from pydantic import BaseModel, ConfigDict, Field

from components.evaluation.gate import GateConfig

_DEFAULT = GateConfig()


class GateParameters(BaseModel):
    """What a challenger must clear; declared before the run, so that no figure can move its own threshold."""

    model_config = ConfigDict(extra="forbid", title="Gate")

    champion_margin: float = Field(
        default=_DEFAULT.champion_margin,
        ge=0,
        le=1,
        description="Quality by which the 95 % interval against the champion may reach below 0.",
    )
    parity_margin: float = Field(
        default=_DEFAULT.parity_margin,
        ge=0,
        le=1,
        description="The same against the best single candidate, where the challenger costs less than it.",
    )
    calibration_error: float = Field(
        default=_DEFAULT.calibration_error,
        ge=0,
        le=1,
        description="Greatest expected calibration error of the predicted quality.",
    )
    control_margin: float = Field(
        default=_DEFAULT.control_margin,
        ge=0,
        le=1,
        description="Mean quality by which each control (random features, shuffled labels) must be beaten.",
    )
    leave_one_out_floor: float = Field(
        default=_DEFAULT.leave_one_out_floor,
        ge=-1,
        le=1,
        description="Mean gain over the best single candidate on benchmarks left out of training, in turn.",
    )
    latency_ms: float = Field(
        default=_DEFAULT.latency_ms,
        gt=0,
        allow_inf_nan=False,
        description="Greatest milliseconds of processor time to route a prompt, one at a time.",
    )

    def config(self) -> GateConfig:
        """The thresholds as the gate takes them."""
        return GateConfig(**self.model_dump())
