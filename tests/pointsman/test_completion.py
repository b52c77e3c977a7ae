"""Tab completion, as bash itself answers."""

import shutil
import subprocess

import pytest

from pointsman.cli import main

BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="skipped: no bash")


def complete(script, *words):
    asked = " ".join(f"'{word}'" for word in words)
    ask = f"COMP_WORDS=({asked}); COMP_CWORD={len(words) - 1}; _pointsman; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run([BASH, "-c", script + ask], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.fixture(scope="module")
def script():
    from contextlib import redirect_stdout
    from io import StringIO

    with redirect_stdout(StringIO()) as printed:
        assert main(["completion", "bash"]) == 0
    return printed.getvalue()


def test_commands_options_and_choices_are_completed(script):
    assert complete(script, "pointsman", "re") == ["retrain", "report"]
    assert {"--router", "--input", "--policy", "--home"} <= set(complete(script, "pointsman", "route", "--"))
    assert complete(script, "pointsman", "retrain", "--preset", "") == ["smoke", "full"]
    assert complete(script, "pointsman", "completion", "z") == ["zsh"]


def test_where_a_file_is_wanted_nothing_else_is_offered(script):
    assert complete(script, "pointsman", "route", "--input", "") == []
    assert "complete -o default" in script


def test_zsh_runs_the_same(capsys):
    main(["completion", "zsh"])
    assert "bashcompinit" in capsys.readouterr().out


def test_another_shell_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["completion", "fish"])
    assert "invalid choice: 'fish'" in capsys.readouterr().err
