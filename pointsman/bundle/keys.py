"""Ed25519 keys (RFC 8032) that sign manifests and verify them, as PEM files. The only importer of cryptography.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     make_keys(Path(folder) / "key", Path(folder) / "key.pub")
...     trust = PublicKeys.read(Path(folder) / "key.pub")
...     trust.check(b"a manifest", sign(Path(folder) / "key", b"a manifest"), "the bundle")
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from pointsman.bundle.plain import read_plain
from pointsman.bundle.signature import SIGNATURE
from pointsman.errors import BundleError, InputError

_LARGEST = 65536
"""Bytes of a file of keys."""
_PUBLIC = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PublicKeys:
    """Keys of which one must have signed a router."""

    source: str
    """The file that they come from."""
    keys: tuple[Ed25519PublicKey, ...]

    @classmethod
    def read(cls, path: Path) -> "PublicKeys":
        """The keys of a file; while one is being replaced, the old and the new one stand there one after the other.

        Raises:
            InputError: the file can't be read, or holds anything but Ed25519 public keys.
        """
        content = _read(path)
        if b"PRIVATE KEY" in content:
            raise InputError(f"{path} holds a private key: give the public one")
        keys = tuple(_public(path, block) for block in _PUBLIC.findall(content))
        if not keys:
            raise InputError(f"{path} holds no public key in PEM form")
        return cls(source=str(path), keys=keys)

    def check(self, manifest: bytes, signature: bytes | None, where: object) -> None:
        """Refuses a manifest that none of the keys has signed; `where` says of what.

        Raises:
            BundleError: unsigned, signed with another key, or changed since.
        """
        if signature is None:
            raise BundleError(f"{where} isn't signed, and must be with a key of {self.source}")
        if not any(_verifies(key, signature, manifest) for key in self.keys):
            raise BundleError(
                f"{where} isn't signed with a key of {self.source}, or its {SIGNATURE} is another manifest's"
            )


def make_keys(private: Path, public: Path) -> None:
    """Writes a new pair of keys; the private one is readable by its owner alone.

    Raises:
        InputError: there is a private key already.
    """
    key = Ed25519PrivateKey.generate()
    private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(f"{private} is there already: move it away to make another") from None
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def sign(private: Path, manifest: bytes) -> bytes:
    """The signature of a manifest's bytes with the key in a file.

    Raises:
        InputError: there is no such key, or others may read it.
    """
    content = _read(private)
    if stat.S_IMODE(private.stat().st_mode) & 0o077:
        raise InputError(f"{private} can be read by others: chmod 600 it, or make a new key if they may have done so")
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"{private} holds no private key that can be read: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{private} holds a key of another kind than Ed25519")
    return key.sign(manifest)


def _public(path: Path, block: bytes) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(block)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path} holds a damaged key: {error}") from None
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(f"{path} holds a key of another kind than Ed25519")
    return key


def _verifies(key: Ed25519PublicKey, signature: bytes, manifest: bytes) -> bool:
    try:
        key.verify(signature, manifest)
    except InvalidSignature:
        return False
    return True


def _read(path: Path) -> bytes:
    try:
        # who names a key chose it, links and all: files of Kubernetes' secrets and maps are links; devices stay refused
        return read_plain(Path(os.path.realpath(path)), _LARGEST)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such key") from None
    except BundleError as error:
        raise InputError(str(error)) from None
