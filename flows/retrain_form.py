"""What a retrain is asked, as a form."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, field_validator, model_validator

from components.evaluation.gate_config import GateConfig
from components.evaluation.operating import parse_asked
from flows.platform.forms import MAY_BE_EMPTY
from flows.presets import PresetName
from flows.stations.promote import Approver


class RetrainParameters(BaseModel):
    """Settings of this run."""

    data: Annotated[Path | None, MAY_BE_EMPTY] = Field(
        title="Folder of logs",
        default=None,
        description="Folder with the tables prompts, candidates and outcomes; empty: simulated logs, which never "
        "replace a router of real ones.",
    )
    decisions: Annotated[str | None, MAY_BE_EMPTY] = Field(
        title="Decision log",
        default=None,
        description="Folder or URL of the decision log that `pointsman serve --decisions` keeps: it is taken into the "
        "tables first, each decision once; empty: the tables as they are.",
    )
    preset: PresetName = Field(
        title="Size of simulated logs",
        default="full",
        description="'smoke' simulates a small world; on your own logs it is the same as 'full'.",
    )
    encoder: str = Field(
        title="Encoder",
        default="auto",
        pattern=r"^(auto|static|int8|fp32|.*/.*)$",
        description="'auto': the cheapest that routes as well as the best; 'static': token vectors distilled from the "
        "sentence encoder; 'int8' or 'fp32': the sentence encoder; or the path of a folder with an encoder.",
    )
    policy: Annotated[str | None, MAY_BE_EMPTY] = Field(
        title="What the router is for",
        default=None,
        description="What the router is for: parity (as good as the best single model, as cheap as can be), best, "
        "tradeoff=W (USD a unit of quality is worth), quality=Q or tolerance=T; empty: parity where costs are known.",
    )
    approve: Approver = Field(
        title="Who has the last word",
        default="gate",
        description="'gate': what passes it is published; 'canary': it goes to data/canary, where a server tries it "
        "on a share of the traffic (serve --shadow data/canary --canary SHARE), and `promote` publishes it if it "
        "succeeded there; 'person': it waits until somebody runs `promote`.",
    )
    force: bool = Field(
        title="Replace the router in service all the same",
        default=False,
        description="Let a router from simulated logs, or from logs of other candidates, replace the one in service.",
    )
    examples: bool = Field(
        title="Quote prompts",
        default=False,
        description="Show the beginnings of some of your prompts in the report and its map, which MLflow and the "
        "published bundle keep too; simulated ones are always shown.",
    )
    seed: int = Field(title="Seed", default=0, ge=0, description="Same seed and data: same router.")
    most_faulty: float = Field(
        title="Largest share of faulty rows",
        default=0.01,
        ge=0,
        le=1,
        description="Largest share of a table's rows that may be set aside; three always may.",
    )
    gate: GateConfig = Field(
        title="Conditions for publishing",
        default_factory=GateConfig,
        description="What a challenger must clear to be published.",
    )

    @field_validator("policy")
    @classmethod
    def _known(cls, policy: str | None) -> str | None:
        return parse_asked(policy).text() if policy else None

    @model_validator(mode="after")
    def _decisions_have_tables(self) -> "RetrainParameters":
        if self.decisions is not None and self.data is None:
            raise ValueError("decisions are taken into the tables of a folder: name it as data")
        return self
