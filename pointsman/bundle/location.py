"""Where a router's bundle is: a folder, a published root, or either of them at a URL."""

from pathlib import Path

from pointsman.bundle.pointer import is_url, resolve
from pointsman.bundle.signature import Trust


def local_folder(path: str | Path, cache: Path | None = None, trust: Trust | None = None) -> Path:
    """The folder of a bundle, or of the one in service of a published root; downloaded first where `path` is a URL.

    `trust` says who must have signed what is downloaded; whoever reads the folder asks again.

    Raises:
        BundleError: there is none, or a downloaded one isn't whole.
    """
    if not is_url(path):
        return resolve(Path(path))
    from pointsman.bundle.remote import fetch  # noqa: PLC0415  # fsspec is loaded for URLs alone

    return fetch(str(path), cache or Path.home() / ".cache" / "pointsman", trust)
