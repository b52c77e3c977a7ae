class TableError(ValueError):
    """A table that can't be used; the message names the file, the rule and the first offending rows."""
