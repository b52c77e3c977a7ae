"""What this package raises for input that can't be used; all are ValueErrors with one line that says what to mend."""


class InputError(ValueError):
    """A file, table or prompt can't be used; the message names it and the rule."""


class BundleError(ValueError):
    """A folder isn't a whole, unchanged bundle of a known form."""
