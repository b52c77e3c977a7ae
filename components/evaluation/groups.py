"""Where groups were before lower layers needed them; see `components.tables.groups`."""

from components.tables.groups import design_effect, group_count, numbered

__all__ = ["design_effect", "group_count", "numbered"]
