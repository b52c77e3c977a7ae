"""Routers of strangers, unsigned ones and changed ones aren't read by whoever asks for a signature."""

import json
import shutil
import subprocess
import uuid

import fsspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from components.release.mirror import mirror
from components.release.publish import publish
from components.release.signing import sign_bundle
from pointsman.bundle.keys import PublicKeys, make_keys, sign
from pointsman.bundle.manifest import MANIFEST, is_router_id
from pointsman.bundle.reading import read_bundle
from pointsman.bundle.signature import SIGNATURE
from pointsman.cli import main
from pointsman.errors import BundleError, InputError
from pointsman.router import Router
from pointsman.serving.in_service import InService


@pytest.fixture
def key(tmp_path):
    make_keys(tmp_path / "keys" / "key", tmp_path / "keys" / "key.pub")
    return tmp_path / "keys" / "key"


@pytest.fixture
def trust(key):
    return PublicKeys.read(key.with_name("key.pub"))


@pytest.fixture
def signed(bundle, key, tmp_path):
    folder = shutil.copytree(bundle, tmp_path / "signed" / bundle.name)
    assert sign_bundle(folder, key)
    return folder


def stranger(tmp_path):
    make_keys(tmp_path / "stranger", tmp_path / "stranger.pub")
    return tmp_path / "stranger"


def test_a_signed_router_decides_as_the_unsigned_one(signed, bundle, trust, prompts):
    loaded = Router.load(signed, threads=1, trust=trust)
    assert loaded.router_id == bundle.name
    assert loaded.route(prompts).candidate == Router.load(signed, threads=1).route(prompts).candidate


def test_keys_are_read_where_a_link_leads(key, trust, tmp_path):
    # as Kubernetes mounts a secret: key.pub -> ..data/key.pub, ..data -> ..2026_01_01
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    key.parent.rename(mounted / "..2026_01_01")
    (mounted / "..data").symlink_to("..2026_01_01")
    for name in ("key", "key.pub"):
        (mounted / name).symlink_to(f"..data/{name}")
    PublicKeys.read(mounted / "key.pub").check(b"manifest", sign(mounted / "key", b"manifest"), "there")
    (mounted / "..2026_01_01" / "key").chmod(0o644)
    with pytest.raises(InputError, match="can be read by others"):
        sign(mounted / "key", b"manifest")
    for name, target, said in (
        ("nowhere", "gone", "no such key"),
        ("loop", "loop", "can't be read"),
        ("null", "/dev/null", "plain"),
    ):
        (mounted / name).symlink_to(target)
        with pytest.raises(InputError, match=said):
            PublicKeys.read(mounted / name)


def test_signing_again_changes_nothing_and_without_a_key_nothing_is_signed(signed, bundle, key, tmp_path):
    assert not sign_bundle(signed, key)
    assert not sign_bundle(bundle, tmp_path / "no key")
    assert not (bundle / SIGNATURE).exists()


def test_openssl_verifies_the_signature_and_makes_keys_that_are_taken(signed, key, bundle, tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("skipped: no openssl")
    verify = [openssl, "pkeyutl", "-verify", "-pubin", "-inkey", key.with_name("key.pub"), "-rawin"]
    ran = subprocess.run([*verify, "-in", signed / MANIFEST, "-sigfile", signed / SIGNATURE], check=False)
    assert ran.returncode == 0
    made, public = tmp_path / "made", tmp_path / "made.pub"
    subprocess.run([openssl, "genpkey", "-algorithm", "ed25519", "-out", made], check=True)
    subprocess.run([openssl, "pkey", "-in", made, "-pubout", "-out", public], check=True)
    made.chmod(0o600)
    content = (bundle / MANIFEST).read_bytes()
    PublicKeys.read(public).check(content, sign(made, content), "it")


def test_unsigned_foreign_or_changed_ones_are_refused(signed, bundle, second, trust, tmp_path):
    with pytest.raises(BundleError, match="isn't signed, and must be"):
        read_bundle(bundle, trust)
    wrong = shutil.copytree(second, tmp_path / "wrong" / second.name)
    # another router's signature, a stranger's, and one of no length
    for content in (
        (signed / SIGNATURE).read_bytes(),
        sign(stranger(tmp_path), (second / MANIFEST).read_bytes()),
        b"",
        bytes(64),
    ):
        (wrong / SIGNATURE).write_bytes(content)
        with pytest.raises(BundleError, match="isn't signed with a key of"):
            read_bundle(wrong, trust)
    (wrong / SIGNATURE).write_bytes(bytes(65))
    with pytest.raises(BundleError, match="no plain file of at most 64 bytes"):
        read_bundle(wrong, trust)


def test_whatever_is_changed_after_signing_is_found(signed, trust, tmp_path):
    for name in sorted(path.name for path in signed.iterdir()):
        changed = shutil.copytree(signed, tmp_path / name / signed.name)
        content = bytearray((changed / name).read_bytes())
        content[len(content) // 2] ^= 1
        (changed / name).write_bytes(bytes(content))
        with pytest.raises(BundleError):
            read_bundle(changed, trust)


def test_a_whole_forged_router_is_refused_before_anything_of_it_is_parsed(signed, trust):
    (signed / MANIFEST).write_bytes(b"{" * 1000)
    with pytest.raises(BundleError, match="isn't signed with a key"):
        read_bundle(signed, trust)
    with pytest.raises(BundleError, match="isn't JSON"):
        read_bundle(signed)


def test_a_file_of_two_keys_trusts_both_while_one_is_replaced(signed, second, key, tmp_path):
    other = stranger(tmp_path)
    both = tmp_path / "both.pub"
    both.write_bytes(key.with_name("key.pub").read_bytes() + b"old:\n" + other.with_name("stranger.pub").read_bytes())
    newer = shutil.copytree(second, tmp_path / "newer" / second.name)
    sign_bundle(newer, other)
    trust = PublicKeys.read(both)
    assert {read_bundle(folder, trust).manifest.router_id for folder in (signed, newer)} == {signed.name, second.name}


def test_a_url_carries_the_signature_and_a_cached_copy_gets_it(bundle, signed, key, trust, tmp_path):
    root, cache, url = tmp_path / "root", tmp_path / "cache", f"memory://{uuid.uuid4().hex}/routers"
    publish(bundle, root)
    mirror(root, url)
    assert Router.load(url, threads=1, cache=cache).router_id == bundle.name
    with pytest.raises(BundleError, match=r"memory://.* isn't signed, and must be"):
        Router.load(url, threads=1, cache=cache, trust=trust)
    # the same router, signed later
    publish(signed, root)
    mirror(root, url)
    assert Router.load(url, threads=1, cache=cache, trust=trust).router_id == bundle.name
    assert read_bundle(cache / bundle.name, trust)
    assert Router.load(url, threads=1, cache=tmp_path / "fresh", trust=trust).router_id == bundle.name
    system, path = fsspec.core.url_to_fs(url)
    system.pipe_file(f"{path}/{bundle.name}/{SIGNATURE}", bytes(64))
    with pytest.raises(BundleError, match="isn't signed with a key"):
        Router.load(url, threads=1, cache=tmp_path / "third", trust=trust)
    assert not (tmp_path / "third").exists()


def test_a_server_that_trusts_a_key_stays_with_its_router(signed, second, trust, tmp_path):
    publish(signed, tmp_path / "root")
    service = InService(tmp_path / "root", every=0, trust=trust)
    publish(second, tmp_path / "root")
    assert service.get().router_id == signed.name
    assert "isn't signed" in service.last_failure


@pytest.mark.parametrize("command", ["route", "explain", "whatif", "serve"])
def test_every_command_ends_with_one_line(command, bundle, signed, key, tmp_path, capsys):
    (tmp_path / "prompts.jsonl").write_text(json.dumps({"prompt": "add 1 2"}) + "\n")
    arguments = {
        "route": ["--input", str(tmp_path / "prompts.jsonl"), "--output", str(tmp_path / "decisions.csv")],
        "explain": ["--prompt", "add 1 2"],
        "whatif": [],
        "serve": ["--port", "0"],
    }[command]
    public = key.with_name("key.pub")
    foreign = stranger(tmp_path).with_name("stranger.pub")
    for router, file, said in (
        (bundle, public, "isn't signed, and must be"),
        (signed, foreign, "isn't signed with a key of"),
        (signed, key, "holds a private key"),
        (signed, tmp_path / "none", "there is no such key"),
    ):
        assert main([command, "--router", str(router), "--trust", str(file), *arguments]) == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert said in line
    assert not (tmp_path / "decisions.csv").exists()


def test_a_trusted_router_is_explained(signed, key, capsys):
    public = str(key.with_name("key.pub"))
    assert main(["explain", "--router", str(signed), "--trust", public, "--prompt", "add 1 2", "--json"]) == 0
    assert is_router_id(json.loads(capsys.readouterr().out)["router_id"])


def test_keys_that_cannot_be_used_are_named(key, tmp_path):
    public = key.with_name("key.pub")
    assert key.stat().st_mode & 0o777 == 0o600
    with pytest.raises(InputError, match="is there already"):
        make_keys(key, public)
    other = rsa.generate_private_key(65537, 2048)
    (tmp_path / "rsa.pub").write_bytes(other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "damaged.pub").write_bytes(public.read_bytes().replace(b"MCow", b"AAAA"))
    (tmp_path / "words.pub").write_text("trust me")
    for name, said in (("rsa", "another kind"), ("damaged", "damaged"), ("words", "no public key")):
        with pytest.raises(InputError, match=said):
            PublicKeys.read(tmp_path / f"{name}.pub")
    (tmp_path / "rsa").write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "rsa").chmod(0o600)
    public.chmod(0o600)
    for path, said in (
        (tmp_path / "rsa", "another kind"),
        (public, "no private key"),
        (tmp_path / "no", "no such key"),
    ):
        with pytest.raises(InputError, match=said):
            sign(path, b"")
    key.chmod(0o640)
    with pytest.raises(InputError, match="can be read by others"):
        sign(key, b"")
