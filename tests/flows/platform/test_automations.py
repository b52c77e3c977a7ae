"""Drift leads to a retrain without a person: a deployment with the trigger, an event, a scheduled run."""

import time

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.events import emit_event
from prefect.testing.utilities import prefect_test_harness

from flows.drift import EVENT
from flows.platform.automations import RETRAIN_ON_DRIFT, retrain_on_drift
from flows.platform.deployments import deployment
from flows.platform.offers import OFFERS

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def server():
    with prefect_test_harness(server_startup_timeout=240):
        yield


def test_the_retrain_from_your_logs_alone_listens_for_drift():
    listening = {(offer.flow, offer.name): deployment(offer).triggers for offer in OFFERS}
    assert [made for made, triggers in listening.items() if triggers] == [("flows.retrain.retrain", "from-your-logs")]
    assert listening["flows.retrain.retrain", "from-your-logs"][0].expect == {EVENT}


@pytest.mark.slow
def test_a_drift_event_runs_the_deployment_once_and_other_events_do_not(server):
    @flow
    def stands_for_retrain():
        pass

    made = stands_for_retrain.to_deployment("weekly", triggers=[retrain_on_drift()])
    identity = made.apply()
    with get_client(sync_client=True) as client:
        automations = client.read_automations_by_name(RETRAIN_ON_DRIFT)
        assert len(automations) == 1
        assert automations[0].enabled
        assert automations[0].actions[0].deployment_id == identity
        assert automations[0].trigger.match.model_dump() == {"prefect.resource.id": "pointsman.router.*"}
        # applied again, as every start of the worker does, it is still one
        made.apply()
        assert len(client.read_automations_by_name(RETRAIN_ON_DRIFT)) == 1
        wish = DeploymentFilter(id=DeploymentFilterId(any_=[identity]))

        def runs():
            return client.read_flow_runs(deployment_filter=wish)

        emit_event("pointsman.something.else", {"prefect.resource.id": "pointsman.router.abc"})
        emit_event(EVENT, {"prefect.resource.id": "elsewhere.router.abc"})
        emit_event(EVENT, {"prefect.resource.id": "pointsman.router.abc"})
        deadline = time.monotonic() + 90
        while not runs() and time.monotonic() < deadline:
            time.sleep(0.5)
        time.sleep(2)
        assert len(runs()) == 1
