"""The console: one page that asks the server itself, without anything from elsewhere."""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files


@cache
def page() -> str:
    """The page's HTML, with its style and script inside."""
    return (files("pointsman.serving") / "console.html").read_text(encoding="utf-8")


def _allowed(tag: str) -> str:
    inner = re.findall(rf"<{tag}>(.*?)</{tag}>", page(), re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inner)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src {_allowed('script')}; style-src {_allowed('style')}; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Nothing but the page's own script and style runs, and it talks to its own server alone."""
