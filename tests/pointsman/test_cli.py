"""What the command line does beside running a command."""

import subprocess
import sys


def test_a_reader_that_has_seen_enough_is_no_error():
    command = [sys.executable, "-m", "pointsman", "import", "--list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0
