"""What an option can't mean is refused by the option's name."""

from pathlib import Path

import pytest

from pointsman.cli import _parser
from pointsman.options import location, path, seed, share

PARSER = _parser()


def refused(capsys, *arguments):
    with pytest.raises(SystemExit, match="2"):
        PARSER.parse_args(arguments)
    return capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize(
    "arguments",
    [
        ("retrain", "--decisions"),
        ("retrain", "--data"),
        ("promote", "--canary"),
        ("drift", "--recent", "x", "--router"),
        ("drift", "--recent"),
        ("forget", "--decisions"),
        ("serve", "--shadow"),
        ("serve", "--decisions"),
        ("history", "--home"),
        ("import", "tables"),
    ],
)
def test_an_empty_path_is_not_the_current_folder(capsys, arguments, blank):
    line = refused(capsys, *arguments, blank)
    assert line.endswith(": must not be empty")
    assert arguments[-1] in line or "path" in line


def test_no_option_takes_an_empty_path():
    commands = next(action for action in PARSER._actions if action.dest == "name").choices
    for name, command in commands.items():
        assert not [action.dest for action in command._actions if action.type is Path], name


def test_paths_and_urls_are_kept():
    assert path("a/b") == location("a/b") == Path("a/b")
    assert location("s3://bucket/a//b") == "s3://bucket/a//b"
    assert path(".") == Path()


@pytest.mark.parametrize("command", [("collect", "--data", "x"), ("retrain",), ("demo",), ("compare", "--data", "x")])
@pytest.mark.parametrize("wrong", ["-1", "1.5", "one", "²"])
def test_a_seed_that_is_none_is_refused(capsys, command, wrong):
    assert refused(capsys, *command, "--seed", wrong).endswith(
        f"argument --seed: must be a whole number, 0 or more, got {wrong!r}"
    )
    assert seed("0") == 0


@pytest.mark.parametrize("wrong", ["5", "-0.1", "nan", "inf", "much"])
def test_a_margin_that_is_no_share_is_refused_before_anything_is_bought(capsys, wrong):
    line = refused(capsys, "onboard", "--model", "new", "--margin", wrong)
    assert line.endswith(f"argument --margin: must be a number from 0 to 1, got {wrong!r}")
    assert (share("0"), share("1")) == (0.0, 1.0)
