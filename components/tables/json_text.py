"""JSON as logs hold it, read as `pointsman` does."""

from pointsman.json_text import loads

__all__ = ["loads"]
