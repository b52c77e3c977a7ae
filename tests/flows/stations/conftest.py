"""A tiny router as a bundle, and an installation that made two of them."""

from tests.fixtures.installation import home, registry
from tests.fixtures.tiny_router import bundle, parts, prompts, second

__all__ = ["bundle", "home", "parts", "prompts", "registry", "second"]
