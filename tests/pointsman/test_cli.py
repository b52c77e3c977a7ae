"""What the command line does beside running a command."""

import subprocess
import sys

from pointsman.cli import _parser


def test_a_reader_that_has_seen_enough_is_no_error():
    command = [sys.executable, "-m", "pointsman", "import", "--list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_a_command_ends_without_looking_for_garbage():
    # what is registered first runs last
    script = (
        "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 1000)); "
        "from pointsman.cli import main; main(['import', '--list'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True"


def test_every_option_says_what_it_does_and_what_holds_without_it():
    commands = next(action for action in _parser()._actions if action.dest == "name").choices
    assert {"route", "serve", "retrain", "completion"} <= set(commands)
    for name, command in commands.items():
        shown = command.format_help()
        assert f"pointsman {name}" in shown.partition("example:")[2]
        formatter = command.formatter_class(name)
        for action in command._actions:
            assert action.help, (name, action.dest)
            if action.option_strings and action.nargs != 0 and not action.required:
                assert "default" in formatter._get_help_string(action), (name, action.dest)
