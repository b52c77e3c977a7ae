"""What requests and answers look like. The forms are stable: gateways call them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pointsman.policy.eligibility import MOST_OUTPUT_TOKENS
from pointsman.router import OPERATING

Name = Annotated[str, Field(max_length=200)]
Names = Annotated[list[Name], Field(max_length=1000)]
DECISION_ID = r"^[A-Za-z0-9_.:-]{1,100}$"


class Asked(BaseModel):
    """One prompt, many, or a conversation; and what is wanted. A field that is null is one that is absent."""

    model_config = ConfigDict(extra="forbid")

    prompt: str | None = None
    prompts: list[str] | None = None
    messages: list[dict[str, Any]] | None = None
    """As OpenAI's: the last turns of the user are routed, and the whole must fit into the choice's window."""
    policy: Annotated[str, Field(max_length=100)] = OPERATING
    among: Names | None = None
    """Candidates that may be chosen; none: all."""
    exclude: Names = []
    """Candidates that may not."""
    requires: Names = []
    """Capabilities that the choice must have."""
    max_output_tokens: Annotated[int, Field(ge=0, le=MOST_OUTPUT_TOKENS)] = 0
    session: Name | None = None
    tenant: Name | None = None
    explain: bool = False
    decision_id: Annotated[str, Field(pattern=DECISION_ID)] | None = None
    """Of a lone prompt or a conversation, made where it is missing; the same id explores alike."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, body: Any) -> Any:
        """Clients write out every field that they know, null where it isn't set."""
        if not isinstance(body, dict):
            return body
        return {name: value for name, value in body.items() if value is not None or name not in cls.model_fields}


class Score(BaseModel):
    """What is expected of a candidate on a prompt."""

    candidate: str
    quality: float
    cost: float | None


class Task(BaseModel):
    """What a prompt is about."""

    id: str
    """The same from one retrain to the next."""
    label: str


class Behind(BaseModel):
    """Outcomes that a candidate's estimate rests on."""

    on_task: int | None
    """Of the prompt's task; None: it has none."""
    in_all: int


class Explanation(BaseModel):
    """Why, beyond the reason."""

    novel: bool
    best_single: str
    """Which promises are measured against."""
    input_tokens: int
    """Estimate of what a candidate reads."""
    removed: dict[str, list[str]]
    """Whom each rule of eligibility removed."""
    propensities: dict[str, float]
    """The probability of each candidate that could have been chosen."""
    latency_ms: dict[str, list[float]]
    """What half of the calls to a candidate take at most, and 95 % of them, where that is known."""
    evidence: dict[str, Behind]
    """Of each candidate."""


class Decided(BaseModel):
    """The choice for one prompt."""

    decision_id: str
    candidate: str
    ranked: list[str]
    """The choice, then whom to ask if it fails."""
    task: Task | None
    predicted_quality: float
    expected_cost_usd: float | None
    margin: float
    """Quality by which a candidate must be better than the best single one to be chosen for it."""
    reason: str
    policy: str
    propensity: float
    """The probability with which this candidate was chosen, in (0, 1]."""
    scores: list[Score]
    explanation: Explanation | None = None
    """Where it was asked for."""


class Answer(BaseModel):
    """Decisions in the order of the prompts."""

    router_id: str
    decisions: list[Decided]


class Told(BaseModel):
    """What became of a decision; any of the figures, at any time, as often as it is known better."""

    model_config = ConfigDict(extra="forbid")

    decision_id: Annotated[str, Field(pattern=DECISION_ID)]
    quality: Annotated[float, Field(ge=0, le=1)] | None = None
    thumb: Literal["up", "down"] | bool | Literal[1, 0, -1] | None = None
    input_tokens: Annotated[int, Field(ge=0, lt=2**62)] | None = None
    output_tokens: Annotated[int, Field(ge=0, lt=2**62)] | None = None
    cost_usd: Annotated[float, Field(ge=0, lt=1e12)] | None = None
    latency_ms: Annotated[float, Field(ge=0, lt=1e12)] | None = None
    error: Annotated[str, Field(max_length=1000)] | bool | None = None

    def figures(self) -> dict[str, Any]:
        """What was told, plain: a thumb as 'up' or 'down', an error as text, which is '' where the call didn't fail."""
        figures = self.model_dump(exclude={"decision_id"}, exclude_none=True)
        if "thumb" in figures:
            figures["thumb"] = "up" if figures["thumb"] in ("up", True, 1) else "down"
        if "error" in figures and isinstance(figures["error"], bool):
            figures["error"] = "error" if figures["error"] else ""
        return figures


class Kept(BaseModel):
    """That an outcome was taken."""

    decision_id: str
    logged: bool
    """Whether there is a decision log that has it now."""


class Described(BaseModel):
    """The router in service."""

    router_id: str
    operating_policy: str
    asked_policy: str
    candidates: list[str]
    retired: list[str]
    prices: dict[str, dict[str, float]]
    """What costs are expected by: USD per million tokens in and out, of candidates whose prices are known."""
    best_single: str
    tasks: list[Task]
    failed_reloads: int
    shadow_router_id: str | None
    canary: dict[str, Any] | None


class Refusal(BaseModel):
    """Why a request was refused."""

    detail: str | list[dict[str, Any]]


REFUSALS: dict[int | str, dict[str, Any]] = {code: {"model": Refusal} for code in (400, 401, 408, 413, 422, 429, 503)}
