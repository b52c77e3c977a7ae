"""Windows of a series, cut so that no test looks into training. Shapes: T times, N windows, W window."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.extrapolation.problem import Array, ProblemError


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Times first <= t < last of a series, as indices."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 0 <= self.first < self.last:
            raise ProblemError(f"a span must have 0 <= first < last, got {self.first} and {self.last}")


def check_apart(train: Span, test: Span) -> None:
    """Makes sure that a test begins after training has ended.

    Raises:
        ProblemError: it begins earlier.
    """
    if test.first < train.last:
        raise ProblemError(f"the test begins at {test.first}, but training ends at {train.last}: they overlap")


def windows(series_T: Array, window: int, horizon: int, span: Span | None = None) -> tuple[Array, Array]:
    """Every window that lies, with the values after it, inside a span: (N, window) and (N, horizon).

    Args:
        series_T: finite.
        window: values that a model sees, >= 1.
        horizon: values that follow, >= 1.
        span: the part of the series that is used; all of it if not given.

    Raises:
        ProblemError: a value is nan or infinite, or the part is shorter than one window and its horizon.

    >>> windows(np.arange(4.0), window=2, horizon=1)
    (array([[0., 1.],
           [1., 2.]]), array([[2.],
           [3.]]))
    """
    if min(window, horizon) < 1:
        raise ProblemError(f"window and horizon must be >= 1, got {window} and {horizon}")
    part_T = series_T if span is None else series_T[span.first : span.last]
    bad_T: NDArray[np.bool_] = ~np.isfinite(part_T)
    if bad_T.any():
        raise ProblemError(f"the series holds nan or infinite values, the first at {int(bad_T.argmax())}")
    if len(part_T) < window + horizon:
        raise ProblemError(
            f"a series of {len(part_T)} values is shorter than a window of {window} and a horizon of {horizon}"
        )
    seen = np.lib.stride_tricks.sliding_window_view(part_T, window + horizon)
    return seen[:, :window].copy(), seen[:, window:].copy()
