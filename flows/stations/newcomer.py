"""The router that a newcomer is to join, looked at before anything is bought or heavy libraries are loaded."""

from flows.platform import paths
from pointsman.bundle.pointer import resolve
from pointsman.bundle.reading import Bundle, read_bundle


def router_without(name: str) -> Bundle:
    """The router in service, which doesn't have this candidate yet.

    Raises:
        BundleError: no router is in service, or it can't be read.
        ValueError: it has the candidate.
    """
    bundle = read_bundle(resolve(paths.published()))
    if name in (candidate.model for candidate in bundle.manifest.provenance.candidates):
        raise ValueError(f"{name} is a candidate of the router in service already: retrain to renew it")
    return bundle
