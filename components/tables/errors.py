"""What unusable tables raise."""

from pointsman.errors import InputError


class TableError(InputError):
    """A table that can't be used; the message names the file, the rule and the first offending rows."""
