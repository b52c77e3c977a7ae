"""The operating policy: which of a router's policies is declared in its bundle, served, and judged by the gate.

Shapes: N prompts, P policies, M candidates.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.evaluation.paired import critical, difference

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityConfig:
    """When a cheaper policy's quality counts as that of the best single candidate: two conditions, both needed."""

    margin: float = 0.01
    """Quality by which the low end of the interval may lie below the best single candidate's, in [0, 1]: the gate's."""
    greatest_loss: float = 0.01
    """Quality that may be lacking on average at most, in [0, 1]."""
    share_of_gap: float = 0.2
    """The same as a share of the distance between the best candidate and the middle one, in [0, 1]."""
    level: float = 0.05
    """Probability that the declared policy is really below the margin, in (0, 0.5]."""

    def __post_init__(self) -> None:
        for name in ("margin", "greatest_loss", "share_of_gap"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")
        critical(self.level)


def parity_loss(mean_quality_M: Floats, config: ParityConfig | None = None) -> float:
    """Quality that may be lacking on average for a lower cost: little where the candidates differ by little.

    Where the best candidate is .936 and the next two .929 and .926, a loss of .01 would call all three the same.

    Args:
        mean_quality_M: of each candidate, in [0, 1]; nan: not known, not counted.
        config: see ParityConfig.

    Raises:
        ValueError: no candidate's quality is known.

    >>> round(parity_loss(np.array([0.936, 0.929, 0.926, 0.79])), 4)
    0.002
    >>> parity_loss(np.array([0.74, 0.5, 0.4]))
    0.01
    """
    config = config or ParityConfig()
    known_M = np.sort(mean_quality_M[~np.isnan(mean_quality_M)])
    if known_M.size == 0:
        raise ValueError("no candidate's quality is known")
    if known_M.size == 1:
        return 0.0
    gap = float(known_M[-1] - np.median(known_M[:-1]))
    return min(config.greatest_loss, config.share_of_gap * gap)


def cheapest_at_parity(
    quality_PN: Iterable[Floats],
    cost_usd_P: Floats,
    single_quality_N: Floats,
    *,
    margin: float,
    loss: float | None = None,
    level: float = 0.05,
    least_error_P: Floats | None = None,
) -> int | None:
    """The policy of least cost whose quality isn't below the best single candidate's, noise allowed for.

    A policy is at parity where the low end of the paired difference's one-sided interval is at or above -margin, which
    is what the gate will ask of it, and the difference itself at or above -loss: with many prompts the interval alone
    would give away nearly the whole margin. Along a path of prices the differences move together, so that choosing the
    cheapest of those at parity errs hardly more often than one test would: measured by simulation in the tests.

    Args:
        quality_PN: what each policy's choices got on prompts that the predictions hadn't seen; pseudo-outcomes where
            the choices themselves weren't observed. Read one policy after another, so that a generator never holds
            those of a hundred policies on a million prompts.
        cost_usd_P: mean USD of each policy's choices on the same prompts; nan: unknown, never chosen.
        single_quality_N: what the best single candidate got there.
        margin: quality by which the interval may reach below it, >= 0.
        loss: quality that may be lacking on average, >= 0; None: as much as the margin.
        level: probability of an error, in (0, 0.5].
        least_error_P: standard errors of the differences that are known of how the outcomes were come by, >= 0: of a
            few heavily weighted outcomes the spread can be small by luck. None: the spread tells.

    Returns:
        Its column; None: no policy is at parity.

    Raises:
        ValueError: shapes differ, there are no prompts, or a quality is nan.

    >>> cheapest_at_parity(np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([0.2, 0.1]), np.ones(2), margin=0.01)
    1
    """
    loss = margin if loss is None else loss
    if not (margin >= 0 and loss >= 0):
        raise ValueError(f"margin and loss must be >= 0, got {margin} and {loss}")
    found = [difference(quality_N, single_quality_N) for quality_N in quality_PN]
    if len(found) != cost_usd_P.size:
        raise ValueError(f"qualities of {len(found)} policies and costs of {cost_usd_P.size} don't match")
    mean_P, error_P = np.array([one.mean for one in found]), np.array([one.error for one in found])
    if least_error_P is not None:
        error_P = np.maximum(error_P, least_error_P)
    low_P = mean_P - critical(level) * error_P
    # a hair for rounding: the best single candidate itself is at parity by definition
    held_P = (low_P >= -margin - 1e-12) & (mean_P >= -loss - 1e-12)
    cost_P = np.where(held_P & ~np.isnan(cost_usd_P), cost_usd_P, np.inf)
    if not np.isfinite(cost_P).any():
        return None
    return int(cost_P.argmin())


def price_grid(cost_usd_NM: Floats, steps: int = 101) -> tuple[float, ...]:
    """Prices of quality worth trying, USD per unit of quality, ascending: round figures, from cheap to lavish.

    From a hundredth of the candidates' spread in mean cost (about every prompt to the cheapest) to a thousand times it
    (about every prompt to the best).

    Args:
        cost_usd_NM: expected USD of each candidate on each prompt; columns with a nan are left out.
        steps: how many, >= 2.

    Returns:
        Empty where fewer than two candidates have known costs, or all cost the same.
    """
    mean_M = cost_usd_NM.mean(axis=0) if cost_usd_NM.size else np.full(cost_usd_NM.shape[1], np.nan)
    known_M = mean_M[~np.isnan(mean_M)]
    if known_M.size < 2 or not known_M.max() > known_M.min():
        return ()
    grid = np.geomspace(0.01, 1000, steps) * float(known_M.max() - known_M.min())
    # three digits are enough, and a person can read them
    return tuple(dict.fromkeys(float(f"{price:.3g}") for price in grid))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person wants of the operating policy."""

    name: str
    """parity, best, tradeoff, quality or tolerance."""
    figure: float | None = None

    def text(self) -> str:
        """As the command line takes it.

        >>> Asked(name="tradeoff", figure=0.2).text()
        'tradeoff=0.2'
        """
        return self.name if self.figure is None else f"{self.name}={self.figure:.6g}"


_RANGES: dict[str, tuple[float, float]] = {
    "tradeoff": (0.0, float("inf")),
    "quality": (0.0, 1.0),
    "tolerance": (0.0, 1.0),
}


def parse_asked(text: str) -> Asked:
    """What `--policy` names: parity, best, tradeoff=W, quality=Q or tolerance=T.

    A budget is for one batch, and a router meets many: it can't be an operating policy.

    Raises:
        ValueError: no such policy, no number, or a number out of its range.

    >>> parse_asked("tradeoff=0.2")
    Asked(name='tradeoff', figure=0.2)
    """
    name, equals, figure = text.strip().partition("=")
    if name in ("parity", "best") and not equals:
        return Asked(name=name)
    if name == "budget":
        raise ValueError(
            f"policy {text!r} can't be an operating policy: a budget is for one batch. "
            "Say what quality is worth (tradeoff=W), or ask for parity"
        )
    if name not in _RANGES or not equals:
        raise ValueError(f"unknown policy {text!r}: want parity, best, tradeoff=W, quality=Q or tolerance=T")
    try:
        number = float(figure)
    except ValueError:
        raise ValueError(f"policy {text!r}: {figure!r} is no number") from None
    low, high = _RANGES[name]
    if not low <= number <= high or (name == "tradeoff" and not number > 0):
        raise ValueError(f"policy {text!r}: {name} must be in {'(' if name == 'tradeoff' else '['}{low:g}, {high:g}]")
    return Asked(name=name, figure=number)


def default_asked(cost_usd_NM: Floats) -> Asked:
    """parity where the expected costs of two candidates or more are known, else best."""
    known = int((~np.isnan(cost_usd_NM)).all(axis=0).sum()) if cost_usd_NM.size else 0
    return Asked(name="parity" if known >= 2 else "best")


def tried(asked: Asked, prices: Sequence[float]) -> tuple[Asked, ...]:
    """The policies that a wish may end in: for parity a grid of prices and `best`, else the wish itself."""
    if asked.name != "parity":
        return (asked,)
    return (*(Asked(name="tradeoff", figure=price) for price in prices), Asked(name="best"))
