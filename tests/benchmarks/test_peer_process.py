"""A peer's script is given arrays and gives choices; what it says when it fails is passed on."""

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.__main__ import main
from tests.benchmarks.peer_process import interpreters, peer_choices

SCRIPT = """
import json, sys
import numpy as np
given = np.load(sys.argv[1])
json.dump({"least": given["value_NM"].argmin(axis=1).tolist()}, open(sys.argv[2], "w"))
"""


def test_arrays_go_in_and_columns_come_out(tmp_path):
    script = tmp_path / "learn.py"
    script.write_text(SCRIPT)
    value_NM = np.array([[3.0, 1.0, 2.0], [0.5, 1.0, np.inf]])
    assert peer_choices(Path(sys.executable), script, value_NM=value_NM) == {"least": [1, 0]}


def test_a_failure_tells_what_the_peer_said(tmp_path):
    script = tmp_path / "learn.py"
    script.write_text("raise SystemExit('no clusters today')")
    with pytest.raises(RuntimeError, match="no clusters today"):
        peer_choices(Path(sys.executable), script)


def test_interpreters_are_named_or_the_bandits():
    found = interpreters(["routellm=/a/bin/python", "/b/bin/python"])
    assert found == {"routellm": Path("/a/bin/python"), "paretobandit": Path("/b/bin/python")}
    with pytest.raises(ValueError, match="no peer routelm: there are avengers_pro, "):
        interpreters(["routelm=/a/bin/python"])


def test_an_unknown_peer_is_a_usage_error(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["own_code", "--peer", "routelm=python"])
    assert "no peer routelm" in capsys.readouterr().err
