"""Isolation for the whole session: no test reads or writes the checkout's data/, mlruns/ or the user's Prefect."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis

# The same examples every time: a suite that fails by chance teaches people to run it twice.
hypothesis.register_profile("pointsman", derandomize=True, database=None, deadline=None)
hypothesis.load_profile("pointsman")

_HOME = Path(tempfile.mkdtemp(prefix="pointsman-tests-"))
os.environ["POINTSMAN_HOME"] = str(_HOME)
# tests run in two processes: with more threads than processors they wait for each other
os.environ.setdefault("OMP_NUM_THREADS", "1")
# a process takes longer to start than what tests compute
os.environ["POINTSMAN_WORKERS"] = "0"

from flows.platform.settings import prepare_environment  # noqa: E402

prepare_environment()

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def home() -> Path:
    """The installation that tests run in."""
    return _HOME


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real routing data, where it lies beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("skipped: no shared data")
    return SHARED
