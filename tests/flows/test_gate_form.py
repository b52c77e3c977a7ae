import pytest
from pydantic import ValidationError

from components.evaluation.gate_config import GateConfig
from flows.gate_form import GateParameters
from flows.retrain import RetrainParameters


def test_the_form_starts_from_the_gates_own_thresholds():
    assert GateParameters().config() == GateConfig()
    assert set(GateParameters.model_fields) == set(GateConfig.__dataclass_fields__)


def test_the_form_shows_each_threshold_with_its_range():
    schema = RetrainParameters.model_json_schema()
    fields = schema["$defs"]["GateParameters"]["properties"]
    assert all(field["description"] for field in fields.values())
    assert (fields["leave_one_out_floor"]["minimum"], fields["leave_one_out_floor"]["maximum"]) == (-1, 1)
    assert RetrainParameters(gate={"latency_ms": 5}).gate.config() == GateConfig(latency_ms=5)


@pytest.mark.parametrize("wrong", [{"latency_ms": 0}, {"calibration_error": 1.1}, {"champion_margn": 0.1}])
def test_what_is_out_of_range_or_unknown_is_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        RetrainParameters(gate=wrong)
