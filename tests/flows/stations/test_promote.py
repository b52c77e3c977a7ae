"""What passed the gate is published at once, by a person's word, or by a canary's success."""

import json

import pytest

from components.release.history import HISTORY, read_history
from components.reports.page import PAGE, write_page
from flows.platform import paths
from flows.stations import promote
from flows.stations.register import Challenger
from flows.stations.verdicts import record_verdict
from pointsman.bundle.pointer import read_pointer
from pointsman.bundle.reading import read_report
from pointsman.cli import main
from pointsman.serving.log_schema import EVENTS


def waiting(bundle):
    return Challenger(bundle=paths.bundles() / bundle.name, router_id=bundle.name, run_id="run", version="1")


def page_of(bundle):
    """The page as `register` writes it, before the verdict is carried out."""
    return write_page(read_report(bundle), paths.reports() / bundle.name)


def ended(folder, router_id, event):
    folder.mkdir(exist_ok=True)
    line = json.dumps({"event": event, "router_id": router_id, "why": "1000 outcomes"})
    (folder / EVENTS).write_text(line + "\n")


def test_a_person_approves_what_passed_the_gate(home, registry, bundle):
    concluded = promote.conclude(waiting(bundle), approve="person")
    assert concluded.verdict == "awaits approval"
    assert concluded.bundle == paths.bundles() / bundle.name
    assert read_pointer(paths.published()) is None
    assert promote.promote_waiting("Ada says so").verdict == "promoted"
    assert read_pointer(paths.published()) == bundle.name
    asked, approved = read_history(paths.published())
    assert asked.verdict == "awaits approval"
    assert "pointsman promote" in asked.reasons[0]
    assert (approved.verdict, approved.reasons) == ("promoted", ("Ada says so",))


def test_a_canarys_success_publishes(home, registry, bundle, tmp_path):
    concluded = promote.conclude(waiting(bundle), approve="canary")
    assert concluded.verdict == "to canary"
    assert read_pointer(paths.canary()) == bundle.name
    assert read_pointer(paths.published()) is None
    (tmp_path / "log").mkdir()
    # it goes on, or another router's ended
    for _ in range(2):
        assert promote.promote_waiting(canary=tmp_path / "log").verdict == "to canary"
        assert read_pointer(paths.published()) is None
        ended(tmp_path / "log", "another", "canary succeeded")
    ended(tmp_path / "log", bundle.name, "canary succeeded")
    for _ in range(2):
        assert promote.promote_waiting(canary=tmp_path / "log").verdict == "promoted"
    assert read_pointer(paths.published()) == bundle.name
    sent, passed = read_history(paths.published())
    assert sent.verdict == "to canary"
    assert "--shadow" in sent.reasons[0]
    assert (passed.verdict, passed.reasons) == ("promoted", ("the canary succeeded: 1000 outcomes",))


def test_a_stopped_canary_is_a_refusal(home, registry, bundle, tmp_path):
    promote.conclude(waiting(bundle), approve="canary")
    ended(tmp_path / "log", bundle.name, "canary stopped")
    assert promote.promote_waiting(canary=tmp_path / "log").verdict == "refused"
    assert read_pointer(paths.published()) is None
    assert read_history(paths.published())[-1].reasons == ("the canary was stopped: 1000 outcomes",)


def test_what_a_canary_refused_is_published_by_force_or_by_a_new_judgement_alone(home, registry, bundle, tmp_path):
    promote.conclude(waiting(bundle), approve="canary")
    ended(tmp_path / "log", bundle.name, "canary stopped")
    ended(tmp_path / "other", bundle.name, "canary succeeded")
    for _ in range(2):
        assert promote.promote_waiting(canary=tmp_path / "log").verdict == "refused"
        for log in (None, tmp_path / "other"):
            with pytest.raises(ValueError, match="was refused: the canary was stopped: 1000 outcomes"):
                promote.promote_waiting("a look", canary=log)
    assert read_pointer(paths.published()) is None
    # a retrain that finds the same router again judges it again
    promote.conclude(waiting(bundle), approve="canary")
    assert promote.promote_waiting(canary=tmp_path / "other").verdict == "promoted"


def test_what_a_canary_refused_is_published_by_force(home, registry, bundle, tmp_path):
    ended(tmp_path / "log", bundle.name, "canary stopped")
    promote.promote_waiting(canary=tmp_path / "log")
    assert promote.promote_waiting("Ada says so", force=True).verdict == "promoted"
    assert read_pointer(paths.published()) == bundle.name


def test_a_void_verdict_is_told_again_as_void(home, registry, bundle, second):
    promote.conclude(waiting(second))
    for _ in range(2):
        concluded = promote.promote_waiting()
        assert concluded.verdict == "refused"
        assert "is void" in concluded.reasons[0]


def meanwhile(monkeypatch, happens):
    """Something that another command does once between the look at the verdict and the publication."""

    def sign_bundle(*_):
        monkeypatch.setattr(promote, "sign_bundle", lambda *_: False)
        happens()

    monkeypatch.setattr(promote, "sign_bundle", sign_bundle)


def test_of_two_at_once_the_second_is_void(home, registry, bundle, second, monkeypatch):
    meanwhile(monkeypatch, lambda: promote.conclude(waiting(second)))
    concluded = promote.conclude(waiting(bundle))
    assert concluded.verdict == "refused"
    assert f"the router in service was none and is {second.name[:12]}" in concluded.reasons[0]
    assert read_pointer(paths.published()) == second.name
    assert [entry.verdict for entry in read_history(paths.published())] == ["promoted", "refused"]
    assert not (paths.published() / bundle.name).exists()


def test_a_rollback_during_a_promotion_stays(home, registry, bundle, second, monkeypatch):
    promote.conclude(waiting(bundle))
    record_verdict(second.name, read_report(second))
    promote.conclude(waiting(second))
    registry.router_id = second.name
    meanwhile(monkeypatch, lambda: promote.roll_back(None))
    with pytest.raises(ValueError, match="left by a rollback"):
        promote.promote_waiting()
    assert read_pointer(paths.published()) == bundle.name


def test_a_refusal_during_a_promotion_stays(home, registry, bundle, monkeypatch):
    meanwhile(monkeypatch, lambda: promote.refuse(paths.published(), bundle.name, ["its canary was stopped"]))
    with pytest.raises(ValueError, match="was refused: its canary was stopped"):
        promote.promote_waiting()
    assert read_pointer(paths.published()) is None


@pytest.mark.parametrize("event", [None, "canary stopped", "canary succeeded"])
def test_a_look_at_the_canary_of_what_is_in_service_changes_nothing(home, registry, bundle, tmp_path, event):
    promote.promote_waiting()
    registry.tagged.clear()
    (tmp_path / "log").mkdir()
    if event:
        ended(tmp_path / "log", bundle.name, event)
    looked = promote.promote_waiting(canary=tmp_path / "log")
    assert (looked.verdict, looked.reasons) == ("promoted", ("it is in service already",))
    assert registry.tagged == []
    assert [entry.verdict for entry in read_history(paths.published())] == ["promoted"]


def test_a_promotion_that_broke_off_before_the_pointer_is_finished_by_its_canary(home, registry, bundle, tmp_path):
    promote.promote_waiting()
    (paths.published() / "current.json").unlink()
    ended(tmp_path / "log", bundle.name, "canary succeeded")
    assert promote.promote_waiting(canary=tmp_path / "log").verdict == "promoted"
    assert read_pointer(paths.published()) == bundle.name


def test_a_canary_that_goes_on_is_no_refusal_and_leaves_no_tag(home, registry, bundle, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("flows.platform.settings.prepare_environment", lambda **_: None)
    promote.conclude(waiting(bundle), approve="person")
    registry.tagged.clear()
    (tmp_path / "log").mkdir()
    assert main(["promote", "--canary", str(tmp_path / "log")]) == 0
    assert "to canary the canary goes on" in capsys.readouterr().out
    assert registry.tagged == []
    ended(tmp_path / "log", bundle.name, "canary stopped")
    assert main(["promote", "--canary", str(tmp_path / "log")]) == 1
    assert main(["promote"]) == 2
    assert "`pointsman retrain` judges anew" in capsys.readouterr().err


def test_a_decision_log_that_is_not_there_is_named(home, registry, bundle, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("flows.platform.settings.prepare_environment", lambda **_: None)
    assert main(["promote", "--canary", str(tmp_path / "nope")]) == 2
    assert f"{tmp_path / 'nope'}: no such folder" in capsys.readouterr().err
    assert registry.tagged == []


@pytest.mark.parametrize("approve", ["canary", "person"])
def test_nobody_is_asked_about_what_the_gate_refused(home, registry, bundle, monkeypatch, approve):
    refused = {"verdict": "refused", "criteria": [{"name": "quality", "passed": False, "words": "it is worse"}]}
    monkeypatch.setattr(promote, "read_bundle", lambda _: type("Bundle", (), {"report": {"gate": refused}}))
    assert promote.conclude(waiting(bundle), approve=approve).verdict == "refused"
    assert read_pointer(paths.canary()) is None
    assert [entry.verdict for entry in read_history(paths.published())] == ["refused"]


def test_the_page_says_how_it_ended(home, registry, bundle, tmp_path):
    page = page_of(bundle)
    assert "The gate passed it. See whether it is in service" in page.read_text()
    promote.conclude(waiting(bundle), approve="person")
    assert "The gate passed it; it waits. Publish it" in page.read_text()
    assert ">awaits approval</span></h1>" in page.read_text()
    promote.conclude(waiting(bundle), approve="canary")
    assert "Try it on a tenth of the traffic" in page.read_text()
    ended(tmp_path / "log", bundle.name, "canary stopped")
    promote.promote_waiting(canary=tmp_path / "log")
    assert "the canary was stopped: 1000 outcomes" in page.read_text()
    promote.promote_waiting("Ada says so", force=True)
    assert "It was published." in page.read_text()
    # what the run in MLflow shows is the same
    assert registry.logged == [("run", page.parent, "report")] * 4


def test_the_description_says_how_it_ended(home, registry, bundle):
    promote.conclude(waiting(bundle), approve="person")
    promote.promote_waiting("Ada says so")
    first = [(version, text.splitlines()[0]) for version, text in registry.described]
    assert first == [("1", "Verdict: awaits approval."), ("1", "Verdict: promoted.")]
    assert registry.tags == {"verdict": "promoted", "mlflow.note.content": registry.described[-1][1]}


def test_a_void_verdict_is_on_the_page(home, registry, bundle, second):
    page = page_of(bundle)
    promote.conclude(waiting(second))
    assert promote.conclude(waiting(bundle)).verdict == "refused"
    assert "is void, for the router in service was none" in page.read_text()
    assert ">refused</span></h1>" in page.read_text()
    assert "pointsman rollback" not in page.read_text()


def test_a_page_that_is_gone_stays_gone(home, registry, bundle):
    promote.conclude(waiting(bundle))
    assert not (paths.reports() / bundle.name).exists()


def test_the_report_command_says_how_it_ended_too(home, registry, bundle, tmp_path, capsys):
    promote.conclude(waiting(bundle), approve="person")
    asked = ["report", "--router", str(paths.bundles() / bundle.name), "--output", str(tmp_path / "page")]
    assert main(asked) == 0
    assert ">awaits approval</span></h1>" in (tmp_path / "page" / PAGE).read_text()
    (paths.published() / HISTORY).write_text("{}\n")
    assert main(asked) == 0
    assert ">promoted</span></h1>" in (tmp_path / "page" / PAGE).read_text()
