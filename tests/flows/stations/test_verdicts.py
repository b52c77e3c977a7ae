"""Attacks 2 and 6 on promotion and rollback, with a registry that an attacker may write."""

import shutil

import fsspec
import polars as pl
import pytest

from components.release.history import read_history
from components.release.verdicts import VerdictError
from components.tables.store import write_parquet
from flows.platform import paths
from flows.platform.settings import settings
from flows.stations import promote
from flows.stations.doctor import examine
from flows.stations.verdicts import record_verdict
from pointsman.bundle.keys import PublicKeys
from pointsman.bundle.pointer import read_pointer
from pointsman.bundle.reading import is_whole, read_bundle, read_report
from pointsman.cli import main
from pointsman.errors import BundleError


def test_a_challenger_that_was_judged_here_is_published_once(home, registry, bundle):
    for _ in range(2):
        assert promote.promote_waiting().verdict == "promoted"
    assert read_pointer(paths.published()) == bundle.name
    assert len(read_history(paths.published())) == 1


def test_attack_2_a_tag_that_is_a_path_publishes_nothing(home, registry, second, tmp_path):
    shutil.copytree(second, tmp_path / "evil" / second.name)
    for name in ("../../../evil/" + second.name, str(tmp_path / "evil" / second.name), "..", ""):
        registry.router_id = name
        with pytest.raises(VerdictError, match="names no router"):
            promote.promote_waiting()
    assert read_pointer(paths.published()) is None
    assert read_history(paths.published()) == ()


def test_attack_2_a_bundle_from_elsewhere_is_not_published(home, registry, parts, tmp_path):
    stranger = parts.write(paths.bundles(), seed=9)
    registry.router_id = stranger.name
    with pytest.raises(VerdictError, match="wasn't judged by this installation"):
        promote.promote_waiting()
    # a link to a folder elsewhere isn't data/bundles
    shutil.move(stranger, tmp_path / stranger.name)
    stranger.symlink_to(tmp_path / stranger.name)
    record_verdict(stranger.name, read_report(tmp_path / stranger.name))
    with pytest.raises(VerdictError, match="isn't in"):
        promote.promote_waiting()
    assert read_history(paths.published()) == ()


def test_a_verdict_against_another_router_is_void(home, registry, bundle, second):
    promote.promote_waiting()
    registry.router_id = second.name
    concluded = promote.promote_waiting()
    assert concluded.verdict == "refused"
    assert f"the router in service was none and is {bundle.name[:12]}" in concluded.reasons[0]
    assert read_pointer(paths.published()) == bundle.name


def test_a_verdict_on_another_test_is_void(home, registry):
    write_parquet(pl.DataFrame({"prompt_id": ["p1", "p2"]}), paths.frozen() / "frozen_test.parquet")
    concluded = promote.promote_waiting()
    assert concluded.verdict == "refused"
    assert "the test was" in concluded.reasons[0]
    assert read_pointer(paths.published()) is None


def three(home, registry, bundle, second, parts):
    """Three routers in turn, each judged against the one before."""
    third = parts.write(paths.bundles(), seed=3)
    for made in (bundle, second, third):
        record_verdict(made.name, read_report(paths.bundles() / made.name))
        registry.router_id = made.name
        promote.promote_waiting()
    return third


def test_attack_6_rollback_with_an_address_that_cannot_be_written_goes_back_once(
    home, registry, bundle, second, parts, tmp_path, monkeypatch
):
    three(home, registry, bundle, second, parts)
    # a file stands where the folder should be
    (tmp_path / "far").write_text("")
    monkeypatch.setenv("POINTSMAN_PUBLISH_URL", f"file://{tmp_path / 'far' / 'routers'}")
    for _ in range(3):
        with pytest.raises(BundleError):
            promote.roll_back(None)
        assert read_pointer(paths.published()) == second.name
    (tmp_path / "far").unlink()
    assert promote.roll_back(None) == second.name
    system, path = fsspec.core.url_to_fs(settings().publish_url)
    assert second.name in system.cat_file(f"{path}/current.json").decode()
    assert promote.roll_back(None) == bundle.name
    assert [e.verdict for e in read_history(paths.published())].count("rolled_back") == 2


def test_doctor_repairs_what_is_in_service_and_names_what_is_damaged(
    home, registry, bundle, second, parts, tmp_path, monkeypatch
):
    third = three(home, registry, bundle, second, parts)
    monkeypatch.setenv("POINTSMAN_PUBLISH_URL", f"file://{tmp_path / 'far'}")
    assert examine(lambda: registry)[-1] == f"in service: {third.name}"
    for place in (paths.published() / third.name, tmp_path / "far" / third.name, paths.published() / bundle.name):
        (place / "report.json").write_text("{}")
    # of two earlier routers no copy is intact
    shutil.rmtree(paths.published() / second.name)
    for name in (bundle.name, second.name):
        (paths.bundles() / name / "report.json").write_text("{}")
    (paths.published() / "current.json").unlink()
    registry.champion_version = None
    told = examine(lambda: registry)
    assert [line.split(":")[0] for line in told] == [
        "repaired",
        "repaired",
        "repaired",
        "damaged",
        "missing",
        "checked",
        "in service",
    ]
    assert bundle.name in told[3]
    assert f"before {paths.published() / second.name} is copied from a backup" in told[4]
    assert is_whole(paths.published() / third.name)
    assert is_whole(tmp_path / "far" / third.name)


def test_doctor_and_rollback_mend_an_earlier_router_from_what_was_trained_here(home, registry, bundle, second, parts):
    three(home, registry, bundle, second, parts)
    (paths.published() / second.name / "report.json").write_text("{}")
    assert any(
        f"router {second.name[:12]} was replaced by the intact copy" in line for line in examine(lambda: registry)
    )
    assert is_whole(paths.published() / second.name)
    shutil.rmtree(paths.published() / second.name)
    assert promote.roll_back(None) == second.name
    assert is_whole(paths.published() / second.name)


def test_a_rollback_that_could_not_be_announced_says_what_serves(
    home, registry, bundle, second, parts, tmp_path, monkeypatch, capsys
):
    third = three(home, registry, bundle, second, parts)
    monkeypatch.setattr("flows.platform.settings.prepare_environment", lambda **_: None)
    (tmp_path / "far").write_text("")
    monkeypatch.setenv("POINTSMAN_PUBLISH_URL", f"file://{tmp_path / 'far' / 'routers'}")
    assert main(["rollback"]) == 2
    said = capsys.readouterr()
    assert said.out == f"in service before: {third.name}\nin service now: {second.name}\n"
    assert "can't be written" in said.err
    assert "`pointsman doctor` brings it up" in said.err


def test_doctor_says_what_it_did_though_the_address_cannot_be_written(
    home, registry, bundle, second, parts, tmp_path, monkeypatch, capsys
):
    three(home, registry, bundle, second, parts)
    monkeypatch.setattr("flows.platform.settings.prepare_environment", lambda **_: None)
    monkeypatch.setattr("flows.platform.tracking.registry", lambda: registry)
    (tmp_path / "far").write_text("")
    (paths.published() / "current.json").unlink()
    registry.champion_version = None
    monkeypatch.setenv("POINTSMAN_PUBLISH_URL", f"file://{tmp_path / 'far' / 'routers'}")
    assert main(["doctor"]) == 2
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said] == ["repaired", "repaired", "unreachable", "in service"]
    monkeypatch.delenv("POINTSMAN_PUBLISH_URL")
    for folder in (paths.published(), paths.bundles()):
        shutil.rmtree(folder / bundle.name)
    assert main(["doctor"]) == 0
    assert "missing: " in capsys.readouterr().out
    (paths.published() / second.name / "report.json").write_text("{}")
    shutil.rmtree(paths.bundles() / second.name)
    assert main(["doctor"]) == 1


@pytest.mark.parametrize("when", ["opened", "told"])
def test_a_rollback_needs_no_mlflow_and_doctor_repairs_the_champion(
    home, registry, bundle, second, parts, monkeypatch, capsys, when
):
    third = three(home, registry, bundle, second, parts)
    assert registry.champion_version == third.name

    def down(*_):
        raise RuntimeError("http://me:secret@mlflow:5000 failed") from ConnectionRefusedError("nobody answers")

    monkeypatch.setattr("flows.platform.settings.prepare_environment", lambda **_: None)
    with monkeypatch.context() as broken:
        if when == "opened":
            broken.setattr(promote, "registry", down)
            broken.setattr("flows.platform.tracking.registry", down)
        else:
            broken.setattr(registry, "champion_router", down)
        broken.setattr("flows.platform.tracking.registry", down if when == "opened" else lambda: registry)
        assert main(["rollback"]) == 0
        said = capsys.readouterr()
        assert "MLflow can't be told (nobody answers): its champion follows with `pointsman doctor`\n" in said.out
        assert f"in service now: {second.name}" in said.out
        assert "secret" not in said.out + said.err
        assert (read_pointer(paths.published()), registry.champion_version) == (second.name, third.name)
        assert main(["doctor"]) == 2
        told = capsys.readouterr().out
        assert "unreachable: MLflow, whose champion may be another: nobody answers\n" in told
        assert f"in service: {second.name}" in told
    assert any(line == f"repaired: version {second.name} is champion" for line in examine(lambda: registry))
    assert registry.champion_version == second.name


def test_what_was_published_stays_so_though_mlflow_ends_meanwhile(home, registry, bundle, monkeypatch, capsys):
    def down(*_):
        raise ConnectionRefusedError("nobody answers")

    monkeypatch.setattr("flows.platform.settings.prepare_environment", lambda **_: None)
    monkeypatch.setattr(registry, "make_champion", down)
    assert main(["promote"]) == 0
    said = capsys.readouterr().out
    assert "MLflow can't be told (nobody answers)" in said
    assert f"in service now: {bundle.name}" in said


def test_a_rollback_with_a_damaged_pointer_is_carried_out(home, registry, bundle, second, parts, monkeypatch, capsys):
    three(home, registry, bundle, second, parts)
    monkeypatch.setattr("flows.platform.settings.prepare_environment", lambda **_: None)
    (paths.published() / "current.json").write_text("torn")
    assert main(["rollback", "--to", bundle.name]) == 0
    assert f"in service before: a damaged pointer\nin service now: {bundle.name}\n" in capsys.readouterr().out


def test_promote_does_not_put_a_rolled_back_router_back(home, registry, bundle, second, parts, capsys):
    promote.promote_waiting()
    three(home, registry, bundle, second, parts)
    before = read_pointer(paths.published())
    assert promote.roll_back(None, "answers got worse") != before
    registry.router_id = before
    with pytest.raises(ValueError, match="left by a rollback: it isn't promoted again"):
        promote.promote_waiting()
    assert read_pointer(paths.published()) != before
    assert read_history(paths.published())[-1].reasons == ("answers got worse",)


def test_the_commands_say_what_was_and_is_in_service(home, registry, bundle, monkeypatch, capsys):
    monkeypatch.setattr("flows.platform.settings.prepare_environment", lambda **_: None)
    assert main(["promote", "--reason", "first one"]) == 0
    told = capsys.readouterr().out
    assert "in service before: none" in told
    assert f"in service now: {bundle.name}" in told
    assert read_history(paths.published())[-1].reasons == ("first one",)


def test_with_a_key_what_the_gate_promoted_is_signed_and_nothing_else(home, registry, bundle, second, parts, capsys):
    three(home, registry, bundle, second, parts)
    assert main(["keygen"]) == 0
    public = paths.data() / "secrets" / "publish-key.pub"
    assert str(public) in capsys.readouterr().out
    trust = PublicKeys.read(public)
    # routers that are older than the key: the one in service by doctor, an earlier one by a rollback to it
    assert any(line.startswith("signed: ") for line in examine(lambda: registry))
    assert read_bundle(paths.published() / read_pointer(paths.published()), trust)
    assert promote.roll_back(None) == second.name
    assert read_bundle(paths.published() / second.name, trust)
    # one that was put there by a stray hand isn't
    stranger = parts.write(paths.published(), seed=8)
    promote.roll_back(stranger.name)
    with pytest.raises(BundleError, match="isn't signed"):
        read_bundle(stranger, trust)
    assert not any(line.startswith("signed: ") for line in examine(lambda: registry))
    # and what is promoted from now on is signed before it is in service
    fourth = parts.write(paths.data() / "bundles", seed=4)
    record_verdict(fourth.name, read_report(fourth))
    registry.router_id = fourth.name
    assert promote.promote_waiting().verdict == "promoted"
    assert read_bundle(paths.published() / fourth.name, trust)
    assert main(["keygen"]) == 2
    assert "is there already" in capsys.readouterr().err
