"""manifest.sig: who made a router. The manifest's digests name every other file, so that one signature is enough.

A signature says who made a router, not that it is the one that should be in service: whoever can write where gateways
read can put back an older router that was signed.
"""

from pathlib import Path
from typing import Protocol

from pointsman.bundle.plain import read_plain

SIGNATURE = "manifest.sig"
"""Beside the manifest, which doesn't name it: signing a router doesn't make it another one."""
SIGNATURE_BYTES = 64
"""Of an Ed25519 signature (RFC 8032, section 5.1.6)."""


class Trust(Protocol):
    """Decides whose routers are read; `pointsman.bundle.keys.PublicKeys` is one."""

    def check(self, manifest: bytes, signature: bytes | None, where: object) -> None:
        """Refuses a manifest that nobody trusted has signed, before anything else of the router is read.

        Args:
            manifest: the bytes of manifest.json.
            signature: of manifest.sig; None: there is no such file.
            where: what is being read, for the message.

        Raises:
            BundleError: unsigned, signed by somebody else, or changed since.
        """


def read_signature(folder: Path) -> bytes | None:
    """The signature in a bundle's folder; None: there is none.

    Raises:
        BundleError: it is no plain file of at most 64 bytes.
    """
    try:
        return read_plain(folder / SIGNATURE, SIGNATURE_BYTES)
    except FileNotFoundError:
        return None
