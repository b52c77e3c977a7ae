"""The planted world's candidates: invented models with invented prices and known skills."""

from collections.abc import Mapping
from dataclasses import dataclass, field

PRICE_AS_OF = "2026-01-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedCandidate:
    """One invented model. Skills are logits: 0 answers half of a family's medium prompts, 2 answers 88 percent."""

    model: str
    provider: str
    input_usd_per_mtok: float
    output_usd_per_mtok: float
    context_window: int
    release_date: str
    skill: float
    """Skill on every family not named in `specialities`."""
    slope: float
    """How much skill is lost from the easiest prompt of a family to its hardest."""
    verbosity: float
    """Output tokens as a multiple of the family's usual length."""
    specialities: Mapping[str, float] = field(default_factory=dict)
    """Family name to skill, where it differs."""


CANDIDATES = (
    PlantedCandidate(
        model="aster-large-2", provider="Asterion", input_usd_per_mtok=3.0, output_usd_per_mtok=15.0,
        context_window=200_000, release_date="2025-06-12", skill=1.1, slope=0.6, verbosity=1.2,
        specialities={"history": 2.2, "summary": 1.8, "regex": -0.2, "dates": 0.0, "translation": 0.6},
    ),
    PlantedCandidate(
        model="aster-mini-2", provider="Asterion", input_usd_per_mtok=0.25, output_usd_per_mtok=1.0,
        context_window=128_000, release_date="2025-06-12", skill=0.1, slope=5.0, verbosity=0.8,
        specialities={"sentiment": 2.6, "summary": 1.2, "extraction": 1.6, "geography": 1.2},
    ),
    PlantedCandidate(
        model="borealis-pro", provider="Nordlys Labs", input_usd_per_mtok=2.0, output_usd_per_mtok=8.0,
        context_window=128_000, release_date="2025-03-04", skill=0.8, slope=2.0, verbosity=1.0,
        specialities={"medicine": 2.3, "geography": 2.4, "poem": 0.2, "javascript": 0.1, "tool_call": 1.9},
    ),
    PlantedCandidate(
        model="cobalt-coder-32b", provider="Cobalt", input_usd_per_mtok=0.4, output_usd_per_mtok=1.6,
        context_window=64_000, release_date="2025-01-20", skill=-0.4, slope=4.5, verbosity=1.1,
        specialities={"python": 2.4, "javascript": 2.3, "sql": 2.2, "regex": 2.1, "tool_call": 0.8, "extraction": 0.9},
    ),
    PlantedCandidate(
        model="delve-reasoner", provider="Delve", input_usd_per_mtok=1.5, output_usd_per_mtok=9.0,
        context_window=64_000, release_date="2025-08-30", skill=0.3, slope=0.4, verbosity=3.5,
        specialities={"word_problem": 2.3, "algebra": 2.5, "logic": 2.3, "dates": 2.1, "units": 1.5, "poem": -0.8},
    ),
    PlantedCandidate(
        model="lingo-9b", provider="Polyglot Works", input_usd_per_mtok=0.1, output_usd_per_mtok=0.3,
        context_window=32_000, release_date="2024-11-05", skill=-0.6, slope=6.0, verbosity=0.7,
        specialities={"translation": 2.3, "sentiment": 1.6, "summary": 0.6},
    ),
    PlantedCandidate(
        model="quillon-14b", provider="Quillon", input_usd_per_mtok=0.2, output_usd_per_mtok=0.6,
        context_window=32_000, release_date="2025-02-14", skill=-0.3, slope=6.0, verbosity=1.3,
        specialities={"poem": 2.0, "history": 0.9, "summary": 0.9, "translation": 0.5},
    ),
    PlantedCandidate(
        model="fennel-3b", provider="Fennel", input_usd_per_mtok=0.04, output_usd_per_mtok=0.1,
        context_window=16_000, release_date="2024-09-18", skill=-1.2, slope=7.0, verbosity=0.9,
        specialities={"units": 2.0, "extraction": 0.4, "sentiment": 1.2},
    ),
)  # fmt: skip
