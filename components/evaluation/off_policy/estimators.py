"""Four estimates of a policy's mean outcome from logs of another policy. Shapes: N prompts, M candidates.

Each gives a term a prompt whose mean is the estimate and whose spread is its standard error, so that the difference of
two policies is the difference of their terms, prompt by prompt. Source: Dudik, Langford, Li 2011 (arXiv 1103.4601);
self-normalised: Swaminathan and Joachims 2015, with the linear term of a ratio's delta method.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from components.evaluation.off_policy.pseudo import FLOOR, cell_weights, pseudo_outcomes

Estimator = Literal["ips", "self_normalised", "direct", "doubly_robust"]
ESTIMATORS: tuple[Estimator, ...] = ("ips", "self_normalised", "direct", "doubly_robust")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Log:
    """What logs show of N prompts and M candidates, with what is needed to judge other choices on them."""

    outcome_NM: NDArray[np.float64]
    """Observed, of any unit; nan where not observed."""
    inclusion_NM: NDArray[np.float64]
    """Probability that a cell is observed, in [0, 1]; read at observed cells, and for support wherever known."""
    predicted_NM: NDArray[np.float64]
    """Outcome predicted without the prompt's own outcomes; nan where unknown."""
    floor: float = FLOOR
    """Least inclusion probability that weights are worked out with, in (0, 1]."""

    def __post_init__(self) -> None:
        shapes = {array.shape for array in (self.outcome_NM, self.inclusion_NM, self.predicted_NM)}
        if len(shapes) > 1:
            raise ValueError(f"outcomes, propensities and predictions differ in shape: {sorted(shapes)}")
        if len(self.outcome_NM) == 0:
            raise ValueError("no prompts to judge a policy on")
        cell_weights(~np.isnan(self.outcome_NM), self.inclusion_NM, floor=self.floor)

    def at(self, choice_N: NDArray[np.intp]) -> "Chosen":
        """Weight, outcome and prediction at the choices.

        Raises:
            ValueError: not one choice a prompt.
        """
        if choice_N.shape != (len(self.outcome_NM),):
            raise ValueError(f"{choice_N.shape} choices for {len(self.outcome_NM)} prompts")
        weight_NM = cell_weights(~np.isnan(self.outcome_NM), self.inclusion_NM, floor=self.floor)
        place = np.arange(choice_N.size), choice_N
        return Chosen(
            weight_N=weight_NM[place],
            outcome_N=np.where(weight_NM[place] > 0, self.outcome_NM[place], 0.0),
            predicted_N=self.predicted_NM[place],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chosen:
    """The log at one policy's choices."""

    weight_N: NDArray[np.float64]
    """1 / p where the choice was observed, else 0."""
    outcome_N: NDArray[np.float64]
    """What was observed; 0 where nothing was."""
    predicted_N: NDArray[np.float64]


def terms(log: Log, choice_N: NDArray[np.intp], estimator: Estimator) -> NDArray[np.float64]:
    """The estimate's term of each prompt, shape (N,).

    nan where a term needs a prediction that is unknown.

    Raises:
        ValueError: not one choice a prompt; self-normalised: no choice was observed.
    """
    chosen = log.at(choice_N)
    weight_N, outcome_N = chosen.weight_N, chosen.outcome_N
    if estimator == "ips":
        return weight_N * outcome_N
    if estimator == "self_normalised":
        total = float(weight_N.sum())
        if total == 0:
            raise ValueError("none of the policy's choices was observed: its value can't be estimated by weights alone")
        value = float((weight_N * outcome_N).sum()) / total
        # the mean is the value exactly, the spread that of the ratio
        return np.asarray(value + weight_N * (outcome_N - value) * (weight_N.size / total), dtype=np.float64)
    if estimator == "direct":
        return chosen.predicted_N
    pseudo_NM = pseudo_outcomes(log.outcome_NM, log.predicted_NM, log.inclusion_NM, floor=log.floor)
    return np.asarray(pseudo_NM[np.arange(choice_N.size), choice_N], dtype=np.float64)


def effective_sample_size(weight_N: NDArray[np.float64]) -> float:
    """Prompts that weigh as much as the weighted ones do: (sum w)^2 / sum w^2 (Kish 1965); 0 without any.

    >>> effective_sample_size(np.array([4.0, 0.0, 4.0, 0.0]))
    2.0
    """
    squares = float((weight_N**2).sum())
    return float(weight_N.sum()) ** 2 / squares if squares > 0 else 0.0
