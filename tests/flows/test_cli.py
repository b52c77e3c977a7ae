"""What a person at the terminal meets: exit codes, one line for a mistake, examples that parse, readable lists."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.release.history import Entry, append, read_history, readable
from flows.platform.failures import OneLine, foreseen
from flows.platform.settings import ui_command
from pointsman.cli import CHECKOUT, _parser, main
from pointsman.errors import InputError
from tests.fixtures.tiny_router import bundle, parts

__all__ = ["bundle", "parts"]
COMMANDS = _parser()._subparsers._group_actions[0].choices


def test_an_unforeseen_error_ends_otherwise_than_a_refusal(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    # a folder where the history's file should be: none of our messages is about that
    (tmp_path / "data" / "published" / "history.jsonl").mkdir(parents=True)
    assert main(["history"]) == 3
    assert "IsADirectoryError" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_parses_and_takes_a_home(name):
    command = COMMANDS[name]
    help_text = command.format_help()
    assert f"example: pointsman {name}" in help_text
    assert command.description.endswith(".")
    assert "--home" in help_text
    assert "(default: None)" not in help_text


def test_the_home_named_on_the_command_line_is_the_home_of_everything(tmp_path, monkeypatch):
    monkeypatch.setenv("POINTSMAN_HOME", "/elsewhere")
    assert main(["history", "--home", str(tmp_path)]) == 0
    assert os.environ["POINTSMAN_HOME"] == str(tmp_path)
    assert _parser().parse_args(["report"]).router == tmp_path / "data" / "published"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["retrain", "--data", "nowhere"], "nowhere: no such folder"),
        (["retrain", "--data", "."], "table 'candidates' is missing"),
        (["compare", "--data", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_a_mistake_is_one_line_within_seconds_and_nothing_heavy_is_loaded(tmp_path, arguments, message):
    (tmp_path / "prompts.jsonl").write_text('{"prompt_id": "a", "prompt": "hello"}\n')
    code = (
        "import sys; from pointsman.cli import main; code = main(sys.argv[1:]); "
        "heavy = {'torch', 'prefect', 'mlflow'} & set(sys.modules); assert not heavy, heavy; raise SystemExit(code)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert ran.stdout == ""
    (line,) = ran.stderr.splitlines()
    assert line.startswith("pointsman: ")
    assert message in line


def test_the_help_lists_every_command_beginning_with_the_way_from_logs_to_a_router(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    places = [said.index(f"\n    {name}") for name in ("import", "retrain", "route", "serve", "rollback", "compare")]
    assert places == sorted(places)
    assert all(f"\n    {name}" in said for name in COMMANDS)


class _Begun(BaseException):
    """Where heavy libraries would be imported."""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["retrain"], "retrain on simulated logs, in {home}"),
        (["compare", "--data", "."], "compare on .: about an hour"),
        (["drift", "--recent", "."], "drift: . against {home}/data/published"),
        (["extrapolate"], "extrapolate: every problem"),
        (["promote"], "promote: the waiting challenger, in {home}"),
        (["rollback"], "rollback: to the router before, in {home}"),
        (["doctor"], "doctor: looks at {home}/data/published"),
        (["onboard", "--data", ".", "--model", "new"], "onboard: new, to the router in {home}/data/published"),
        (["forget", "--tenant", "a"], "forget: looks through tables"),
    ],
)
def test_the_first_line_comes_before_anything_heavy_is_loaded(tmp_path, monkeypatch, capsys, arguments, line):
    def begin(**_):
        raise _Begun

    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    monkeypatch.setattr("flows.platform.settings.prepare_environment", begin)
    with pytest.raises(_Begun):
        main(arguments)
    assert capsys.readouterr().err.startswith(line.format(home=tmp_path))


def test_a_forms_mistake_names_the_field_in_one_line(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    from pydantic import BaseModel, Field, field_validator

    class Form(BaseModel):
        seed: int = Field(ge=0)
        policy: str

        @field_validator("policy")
        @classmethod
        def known(cls, policy):
            raise ValueError(f"unknown policy {policy!r}")

    monkeypatch.setattr("flows.cli._history", lambda _: Form(seed=-1, policy="cheap"))
    assert main(["history"]) == 2
    said = "pointsman: seed: Input should be greater than or equal to 0; policy: unknown policy 'cheap'\n"
    assert capsys.readouterr().err == said


def test_a_file_that_is_missing_is_named_first(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    monkeypatch.setattr("flows.cli._history", lambda _: (tmp_path / "nowhere").read_bytes())
    assert main(["history"]) == 2
    assert capsys.readouterr().err == f"pointsman: {tmp_path / 'nowhere'}: No such file or directory\n"


@pytest.mark.parametrize("option", ["ui --prefect-port", "ui --mlflow-port", "serve --port"])
@pytest.mark.parametrize("wrong", ["99999", "-1", "eighty"])
def test_a_port_that_is_none_is_refused_by_the_option(capsys, option, wrong):
    with pytest.raises(SystemExit, match="2"):
        main([*option.split(), wrong])
    assert "must be a port, 1 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["/proc/x", "a file", "a file/below"])
def test_a_report_that_cannot_be_written_names_the_folder(bundle, tmp_path, capsys, place):
    (tmp_path / "a file").write_text("")
    folder = tmp_path / place
    assert main(["report", "--router", str(bundle), "--output", str(folder)]) == 2
    assert capsys.readouterr().err.startswith(f"pointsman: {folder} can't be written: ")


def test_the_dashboards_are_started_as_can_be_typed_in_this_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    assert ui_command() == f"pointsman ui --home {tmp_path}"
    monkeypatch.chdir(tmp_path)
    assert ui_command() == "pointsman ui"
    monkeypatch.chdir(CHECKOUT)
    monkeypatch.delenv("POINTSMAN_HOME")
    assert ui_command() == "make ui"


def test_a_home_without_history_is_named(tmp_path, capsys):
    assert main(["history", "--home", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"no verdict yet in {tmp_path}: `pointsman retrain` gives the first\n"


def _record(raised):
    try:
        raised()
    except Exception as error:
        record = logging.LogRecord("prefect.flow_runs", logging.ERROR, "", 0, "Encountered %r", (error,), None)
        record.exc_info = (type(error), error, error.__traceback__)
        OneLine().filter(record)
        return record, foreseen(error)


def test_our_own_refusals_are_logged_in_one_line_and_library_errors_with_their_traceback():
    record, known = _record(read_history_of_nonsense)
    assert known
    assert record.exc_info is None
    assert record.getMessage().count("\n") == 0
    record, known = _record(lambda: json.loads("{"))
    assert not known
    assert record.exc_info is not None


def read_history_of_nonsense():
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "history.jsonl").write_text("{}\n")
        read_history(Path(folder))


def test_history_is_readable(tmp_path, capsys):
    assert readable((), None) == []
    for number, verdict in enumerate(("promoted", "refused", "promoted")):
        append(
            tmp_path,
            Entry(
                time=f"2026-01-0{number + 1}T03:04:05.678+00:00",
                router_id=str(number) * 64,
                verdict=verdict,
                reasons=("too dear",) if verdict == "refused" else (),
                who="ann",
            ),
        )
    head, newest, refused, oldest = readable(read_history(tmp_path), "2" * 64)
    assert head.startswith("time (UTC)")
    assert newest == "2026-01-03 03:04  promoted     222222222222  in service; no reason given (by ann)"
    assert "too dear (by ann)" in refused
    assert "in service" not in oldest


def test_foreseen_errors_are_those_of_our_checks():
    assert not foreseen(InputError("never raised"))


def test_attack_13_the_module_of_commands_is_the_command_line():
    """It did nothing, with exit code 0."""
    done = subprocess.run([sys.executable, "-m", "flows.cli"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "the following arguments are required: COMMAND" in done.stderr
