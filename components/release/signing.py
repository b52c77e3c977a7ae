"""Signs what this installation's gate promoted, where there is a key to sign with."""

from pathlib import Path

from pointsman.bundle.keys import sign
from pointsman.bundle.manifest import dump
from pointsman.bundle.reading import read_files
from pointsman.bundle.signature import SIGNATURE, read_signature
from pointsman.durable import replace_file


def sign_bundle(folder: Path, key: Path) -> bool:
    """Puts the signature beside a bundle's manifest; whether it wasn't there.

    Args:
        folder: a whole bundle.
        key: the private key's file; where there is none, nothing is signed.

    Raises:
        BundleError: the bundle isn't whole.
        InputError: the key can't be used.
    """
    if not key.exists():
        return False
    manifest, _ = read_files(folder)
    signature = sign(key, dump(manifest))
    if read_signature(folder) == signature:
        return False
    replace_file(folder / SIGNATURE, signature)
    return True
