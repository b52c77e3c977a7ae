"""Data by default: nothing missing goes unsaid, and simulated logs never replace a router of real ones."""

from types import SimpleNamespace

import pytest

from components.sources.planted.world import PlantedConfig
from flows.stations import logs
from flows.stations.logs import describe_logs, logs_of
from pointsman.errors import InputError


@pytest.mark.parametrize(("models", "refused"), [(("gpt-5", "claude"), True), (("aster-large-2", "fennel-3b"), False)])
def test_simulated_logs_never_replace_a_router_of_real_ones(monkeypatch, models, refused):
    candidates = tuple(SimpleNamespace(model=model) for model in models)
    bundle = SimpleNamespace(manifest=SimpleNamespace(provenance=SimpleNamespace(candidates=candidates)))
    monkeypatch.setattr(logs, "read_pointer", lambda root: "a" * 64)
    monkeypatch.setattr(logs, "read_bundle", lambda path: bundle)
    monkeypatch.setattr(logs, "resolve", lambda path: path)
    monkeypatch.setattr(logs, "generate", lambda config: "generated")
    if refused:
        with pytest.raises(InputError, match="claude, gpt-5, and simulated logs never replace it"):
            logs_of(None, PlantedConfig(prompts=20))
    else:
        assert logs_of(None, PlantedConfig(prompts=20)) == "generated"


def test_people_read_which_data_it_was(tmp_path):
    assert describe_logs(None).startswith("simulated logs")
    assert str(tmp_path) in describe_logs(tmp_path)
