"""A run of a killed command isn't Running for ever: the next run finds that its process is gone."""

import pytest
from prefect import flow, get_client
from prefect.states import Running
from prefect.testing.utilities import prefect_test_harness

from components.tracking.owner import Owner, this_process
from flows.platform.dead import LABEL, claim_run

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.slow
def test_the_next_run_ends_what_a_dead_process_left(tmp_path):
    me = this_process()
    gone = Owner(host=me.host, pid=me.pid, started="another boot/1")
    far = Owner(host="elsewhere", pid=1, started="a boot/1")

    @flow(name="left")
    def left():
        pass

    @flow(name="begins")
    def begins():
        claim_run()

    with prefect_test_harness(server_startup_timeout=240), get_client(sync_client=True) as client:
        runs = {}
        for name, owner in (("gone", gone), ("far", far), ("alive", me)):
            run = client.create_flow_run(left, state=Running())
            client.update_flow_run_labels(run.id, {LABEL: str(owner)})
            runs[name] = run.id
        begins()
        states = {name: client.read_flow_run(run).state.name for name, run in runs.items()}
        assert states == {"gone": "Crashed", "far": "Running", "alive": "Running"}
