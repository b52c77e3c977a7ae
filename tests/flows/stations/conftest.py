"""A tiny router as a bundle."""

from tests.fixtures.tiny_router import bundle, parts, prompts, second

__all__ = ["bundle", "parts", "prompts", "second"]
