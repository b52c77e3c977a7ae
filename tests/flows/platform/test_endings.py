"""A run's state and name in Prefect say what came out, and callers still get the result itself."""

from types import SimpleNamespace

import pytest
from prefect import flow, get_client
from pydantic import BaseModel

from flows.platform.endings import STATES, name_ending, run_name, state_name

pytestmark = pytest.mark.filterwarnings("ignore")


class Parameters(BaseModel):
    data: str | None = None


def ended(data, result):
    @flow(name="ends", flow_run_name=run_name, on_completion=[name_ending])
    def ends(parameters: Parameters):
        return result

    given = ends(Parameters(data=data))
    with get_client(sync_client=True) as client:
        return given, client.read_flow_runs(limit=1, sort="START_TIME_DESC")[0]


@pytest.mark.parametrize("verdict", ["promoted", "refused", "not enough evidence", "drift"])
def test_a_verdict_is_the_state_and_in_the_name(server, tmp_path, verdict):
    result = SimpleNamespace(verdict=verdict, reasons=("too dear",))
    given, run = ended(str(tmp_path / "logs"), result)
    assert given is result
    assert (run.state.name, run.state.type.value) == (state_name(verdict), "COMPLETED")
    assert run.state.name in STATES
    assert run.state.message == "too dear"
    assert run.name.startswith("logs 20")
    assert run.name.endswith(f" {verdict}")


def test_other_results_stay_completed(server):
    given, run = ended(None, 7)
    assert (given, run.state.name) == (7, "Completed")
    assert run.name.startswith("simulated 20")
