"""The study's problems: what is learnt, how large the models are, who is compared, and what the paper says.

Sizes are the paper's (arXiv 2407.14430) where it gives them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from components.extrapolation.arithmetic import identity, partial_sums
from components.extrapolation.epicentres import epicentres
from components.extrapolation.housing import housing
from components.extrapolation.methods import Sizes
from components.extrapolation.problem import Problem
from components.extrapolation.rolling import rolling_argmax, rolling_average
from components.extrapolation.spiky import spiky
from components.extrapolation.volatility import volatility

ALWAYS = (
    *("implicit", "implicit_no_feedback", "implicit_triangular", "implicit_no_skip"),
    *("least_squares", "ridge", "mlp", "mlp_no_bias", "mlp_skip", "lstm", "lstm_normalised", "transformer"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One problem of the study."""

    make: Callable[[int, int, int, Path | None], Problem]
    """(seed, training samples at most, samples of each test at most, folder of real data) -> problem."""
    sizes: Sizes
    paper_says: str
    rivals: tuple[str, ...]
    """The paper's own baselines, which an implicit model is said to beat."""
    champions: tuple[str, ...] = ("implicit",)
    """The implicit models of which the paper says so."""
    extra: tuple[str, ...] = ()
    """Models beside those that every problem has."""

    @property
    def methods(self) -> tuple[str, ...]:
        """Every model compared."""
        return (*ALWAYS, *self.extra)


def _generated(make: Callable[..., Problem]) -> Callable[[int, int, int, Path | None], Problem]:
    return lambda seed, train, test, _folder: make(seed, train=train, test=test)


def _spiky(seed: int, train: int, test: int, _folder: Path | None) -> Problem:
    # The series is learnt whole or in the paper's proportion of 7 to 3.
    train = min(train, 7_000)
    return spiky(seed, train=train, test=min(max(test, 150), 3 * train // 7))


CATALOGUE: dict[str, Entry] = {
    "identity": Entry(
        make=_generated(identity),
        sizes=Sizes(implicit_states=4, mlp_hidden=(9, 9)),
        paper_says="the implicit model keeps the identity far outside U(-5, 5); MLP and transformer don't",
        rivals=("mlp", "transformer"),
    ),
    "add": Entry(
        make=_generated(partial(partial_sums, "add")),
        sizes=Sizes(implicit_states=20, mlp_hidden=(10, 10)),
        paper_says="the implicit model adds far outside U(-1, 1), better than MLP, NALU and transformers",
        rivals=("mlp", "nalu", "transformer", "transformer_no_positions"),
        extra=("nalu", "transformer_no_positions"),
    ),
    "subtract": Entry(
        make=_generated(partial(partial_sums, "subtract")),
        sizes=Sizes(implicit_states=20, mlp_hidden=(10, 10)),
        paper_says="the implicit model subtracts far outside U(-1, 1), better than MLP, NALU and transformers",
        rivals=("mlp", "nalu", "transformer", "transformer_no_positions"),
        extra=("nalu", "transformer_no_positions"),
    ),
    "rolling_average": Entry(
        make=_generated(rolling_average),
        sizes=Sizes(implicit_states=32, mlp_hidden=(32, 32)),
        paper_says="the implicit model averages far away from N(3, 1), better than LSTM and transformer",
        rivals=("lstm", "transformer"),
    ),
    "rolling_argmax": Entry(
        make=_generated(rolling_argmax),
        sizes=Sizes(implicit_states=36, mlp_hidden=(36, 36), rnn_states=21),
        paper_says="implicit models find the maximum at any scale (a flat curve); LSTM and transformers don't",
        rivals=("lstm", "transformer", "transformer_no_positions"),
        champions=("implicit", "implicit_rnn"),
        extra=("implicit_rnn", "transformer_no_positions"),
    ),
    "spiky": Entry(
        make=_spiky,
        sizes=Sizes(implicit_states=20, mlp_hidden=(20, 20), rnn_states=20),
        paper_says="the implicitRNN follows sudden spikes better than LSTM and transformer",
        rivals=("lstm", "transformer"),
        champions=("implicit_rnn",),
        extra=("implicit_rnn",),
    ),
    "volatility": Entry(
        make=lambda seed, train, _test, folder: volatility(seed, folder=folder, train=train),
        sizes=Sizes(implicit_states=20, mlp_hidden=(20, 20)),
        paper_says="implicit models predict the volatility of later years better than LSTM, MLP and transformer",
        rivals=("lstm", "mlp", "transformer"),
        champions=("implicit", "implicit_rnn"),
        extra=("implicit_rnn", "har"),
    ),
    "epicentres": Entry(
        make=lambda seed, train, test, folder: epicentres(seed, folder=folder, train=train, test=test),
        # (5 + 2) * 190 + 190^2 weights and those of 5-190-190-2 are about as many
        sizes=Sizes(implicit_states=190, mlp_hidden=(190, 190)),
        paper_says="the implicit model locates earthquakes in regions it never saw better than an MLP of its size",
        rivals=("mlp",),
    ),
    "housing": Entry(
        make=lambda seed, train, test, folder: housing(seed, folder=folder, train=train, test=test),
        sizes=Sizes(implicit_states=32, mlp_hidden=(32, 32)),
        paper_says="implicit models extrapolate to other regions better than an MLP",
        rivals=("mlp",),
    ),
}
