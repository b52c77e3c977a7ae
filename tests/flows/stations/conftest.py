"""A tiny router as a bundle."""

from tests.fixtures.tiny_router import bundle, parts, second

__all__ = ["bundle", "parts", "second"]
