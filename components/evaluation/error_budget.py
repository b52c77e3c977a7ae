"""How often a year of verdicts may be wrong: what each look at the same kind of evidence may spend.

Two errors are bounded. The comparisons with the best single candidate and with the champion are each wrong in at most
`weekly_error` of the verdicts: fifty challengers that are all exactly at the margin are promoted two or three times a
year, and those two points below it never. The comparison with the anchor, the first champion of the year, shares out
one `yearly_error` over all its looks, so that no chain of slightly worse routers, each as good as the one before,
carries the line below the anchor's margin in more than that share of the years.
"""


def look_level(look: int, yearly_error: float) -> float:
    """The error probability of the look-th comparison with the anchor: yearly_error / (k (k + 1)).

    The levels of any number of looks sum to less than the yearly error (Bonferroni over an infinite sequence; Wald's
    union bound holds whatever the dependence between weeks). Early looks get most: a look counts only where everything
    else passed, which isn't often.

    Args:
        look: from 1.
        yearly_error: of all looks together, in (0, 1).

    Raises:
        ValueError: an argument out of range.

    >>> [round(look_level(look, 0.05), 4) for look in (1, 2, 3)]
    [0.025, 0.0083, 0.0042]
    """
    if look < 1:
        raise ValueError(f"looks are counted from 1, got {look}")
    if not 0 < yearly_error < 1:
        raise ValueError(f"yearly_error must be in (0, 1), got {yearly_error}")
    return yearly_error / (look * (look + 1))
