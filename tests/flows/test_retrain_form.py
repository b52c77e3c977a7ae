import pytest
from pydantic import ValidationError

from components.evaluation.gate_config import GateConfig
from flows.retrain_form import RetrainParameters


def test_the_gates_thresholds_are_part_of_the_form():
    schema = RetrainParameters.model_json_schema()
    assert schema["$defs"]["GateConfig"]["title"] == "Gate"
    assert RetrainParameters().gate == GateConfig()
    assert RetrainParameters(gate={"latency_ms": 5}).gate == GateConfig(latency_ms=5)
    again = RetrainParameters(**RetrainParameters(gate={"latency_ms": 5}).model_dump(mode="json"))
    assert again.gate == GateConfig(latency_ms=5)


@pytest.mark.parametrize("wrong", [{"latency_ms": 0}, {"champion_margn": 0.1}])
def test_a_wrong_threshold_is_refused_by_name(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        RetrainParameters(gate=wrong)
