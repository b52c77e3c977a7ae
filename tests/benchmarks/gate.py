"""How often the gate is wrong, either way, where the truth is known."""

from components.evaluation.gate_config import GateConfig
from tests.benchmarks.gate_case import PROMPTS, WEEKS, errors, power
from tests.benchmarks.table import Table

SHARES = (0.02, 0.05, 0.1, 0.2)


def run(*, draws: int = 1000, years: int = 200, seed: int = 0, config: GateConfig | None = None) -> Table:
    """Refusals of routers worth promoting, and promotions of ones that aren't, by share of differing outcomes."""
    config = config or GateConfig()
    rows = [
        {"differing": share, **power(share, draws, seed, config), **errors(share, years, seed, config)}
        for share in SHARES
    ]
    return Table(
        name="gate",
        claim=(
            f"Verdicts on {PROMPTS:,} prompts at a margin of {100 * config.parity_margin:.0f} point. 'Differing': "
            "share of prompts on which a router's outcome differs from the best single candidate's. The first three "
            "columns are shares of verdicts that weren't 'promoted' although the router was worth it; then years of "
            f"{WEEKS} weekly challengers: share of years with any promotion where all are two points below the best "
            "single candidate, promotions a year where all are exactly at the margin, and the share of years in which "
            "a chain of equal or slightly worse challengers took the true quality more than the margin below the "
            "first champion (the worst of six chains: steps of .1, .2 and .5 points)."
        ),
        rows=rows,
        summary={
            "weekly error": config.weekly_error,
            "yearly error against the first champion": config.yearly_error,
            "draws": draws,
            "years": years,
        },
    )
