import dataclasses

import pytest
from pydantic import TypeAdapter, ValidationError

from components.evaluation.gate_config import GateConfig


def test_the_form_of_a_retrain_shows_each_threshold_with_its_range_and_says_it_in_words():
    fields = TypeAdapter(GateConfig).json_schema()["properties"]
    assert set(fields) == {field.name for field in dataclasses.fields(GateConfig)}
    assert all(field["title"] and field["description"] and "default" in field for field in fields.values())
    assert all({"minimum", "exclusiveMinimum"} & set(field) for field in fields.values())
    assert (fields["leave_one_out_floor"]["minimum"], fields["leave_one_out_floor"]["maximum"]) == (-1, 1)


@pytest.mark.parametrize(
    "wrong", [{"latency_ms": 0}, {"calibration_error": 1.1}, {"champion_margn": 0.1}, {"most_more": float("inf")}]
)
def test_what_is_out_of_range_or_unknown_is_refused_by_name(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        GateConfig(**wrong)


def test_thresholds_stay_as_they_were_declared():
    config = GateConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.latency_ms = 5
    assert dataclasses.replace(config, latency_ms=5) == GateConfig(latency_ms=5)
