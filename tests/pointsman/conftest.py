"""Fixtures of the runtime: a fitted world in arrays, and a tiny router as a bundle."""

from tests.fixtures.fitted_world import fit_world, fitted
from tests.fixtures.tiny_router import bundle, parts, prompts, second

__all__ = ["bundle", "fit_world", "fitted", "parts", "prompts", "second"]
