"""What the dashboard offers: forms that explain themselves, legal defaults, and one truth for both ways to serve."""

import json
from pathlib import Path
from typing import get_type_hints

import jsonschema
import pytest
import yaml
from prefect.cli.deploy._config import _load_deploy_configs_and_actions
from prefect.client.schemas.schedules import CronSchedule
from prefect.flows import load_flow_from_entrypoint
from rich.console import Console

from flows.platform import paths
from flows.platform.deployments import Standing, as_yaml, deployment
from flows.platform.offers import OFFERS, defaults, load

pytestmark = pytest.mark.filterwarnings("ignore")
FILE = Path(__file__).parents[3] / "infra" / "prefect.yaml"


@pytest.fixture(scope="module", params=OFFERS, ids=lambda offer: offer.flow.rpartition(".")[2])
def offer(request):
    return request.param


def fields(schema):
    """Every field of a form, those of forms within it as well, with the path that leads to it."""
    definitions = schema.get("definitions", {})

    def within(path, properties):
        for name, about in properties.items():
            model = definitions.get(about.get("$ref", "").rpartition("/")[2], {})
            yield f"{path}.{name}", about
            yield from within(f"{path}.{name}", model.get("properties", {}))

    for name, about in schema.get("properties", {}).items():
        assert "$ref" in about, f"{name} is no pydantic form"
        yield from within(name, definitions[about["$ref"].rpartition("/")[2]]["properties"])


def test_the_form_describes_every_field(offer):
    schema = deployment(offer)._parameter_openapi_schema.model_dump()
    for path, about in fields(schema):
        assert len(about.get("description", "")) > 10, path


def test_defaults_are_legal_by_the_form_and_by_the_flow(offer):
    made = deployment(offer)
    schema = made._parameter_openapi_schema.model_dump()
    assert set(schema["required"] or []) <= set(made.parameters)
    jsonschema.validate(made.parameters, schema)
    load(offer).validate_parameters(made.parameters)


def test_an_illegal_value_is_refused_by_the_form():
    retrain = next(offer for offer in OFFERS if offer.name == "from-your-logs")
    schema = deployment(retrain)._parameter_openapi_schema.model_dump()
    for name, bad in (("preset", "huge"), ("encoder", "fp64"), ("seed", -1)):
        given = {"parameters": defaults(retrain)["parameters"] | {name: bad}}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(given, schema)


def test_what_writes_waits_and_schedules_are_off(offer):
    made = deployment(offer)
    assert (made.concurrency_limit == 1) == offer.writes
    if offer.writes:
        assert made.concurrency_options.collision_strategy == "ENQUEUE"
    assert not any(schedule.active for schedule in made.schedules)
    assert made.description == offer.description
    assert "pointsman" in made.tags


def test_a_retrain_learns_from_the_installations_logs_and_never_from_simulated_ones():
    for offer in OFFERS:
        given = deployment(offer).parameters["parameters"] if deployment(offer).parameters else {}
        if "data" in given and offer.folders:
            assert Path(given["data"]) == paths.logs()
    assert [offer.flow for offer in OFFERS if offer.on_drift] == ["flows.retrain.retrain"]


def test_what_a_person_edited_stays():
    offer = next(offer for offer in OFFERS if offer.on_drift)
    mine = {"parameters": {"data": "/my/logs", "gate": {"latency_ms": 20.0}, "no_longer_asked": 1}}
    made = deployment(offer, Standing(schedules=[], parameters=mine)).parameters["parameters"]
    assert (made["data"], made["gate"]["latency_ms"]) == ("/my/logs", 20.0)
    assert made["gate"].keys() == defaults(offer)["parameters"]["gate"].keys()
    assert made.keys() == defaults(offer)["parameters"].keys()


def test_names_are_unique():
    assert len({(offer.flow, offer.name) for offer in OFFERS}) == len(OFFERS)


def test_prefects_own_loader_reads_the_same_deployments(offer):
    said = Console(record=True, quiet=True)
    configs, actions = _load_deploy_configs_and_actions(FILE, console=said)
    assert len(configs) == len(OFFERS)
    assert actions["pull"] == []
    found = next(c for c in configs if (c["entrypoint"], c["name"]) == (offer.flow, offer.name))
    made = deployment(offer)
    assert load_flow_from_entrypoint(found["entrypoint"]).name == made.flow_name
    assert found["entrypoint"] == made.entrypoint
    flow = load(offer)
    deployed = json.loads(json.dumps(found["parameters"]).replace("{{ $POINTSMAN_HOME }}", str(paths.home())))
    assert "{{" not in str(deployed)
    assert flow.validate_parameters(deployed) == flow.validate_parameters(made.parameters)
    assert (found["description"], found["tags"]) == (made.description, made.tags)
    limit = found.get("concurrency_limit")
    assert limit == ({"limit": 1, "collision_strategy": "ENQUEUE"} if offer.writes else None)
    for planned, schedule in zip(found.get("schedules", []), made.schedules, strict=True):
        assert (planned["active"], planned["cron"]) == (False, schedule.schedule.cron)
        assert CronSchedule(cron=planned["cron"], timezone=planned["timezone"]) == schedule.schedule


def test_the_file_is_what_the_module_writes():
    assert FILE.read_text() == as_yaml(), "run: python -m flows.platform.deployments yaml > infra/prefect.yaml"
    assert yaml.safe_load(as_yaml())["name"] == "pointsman"


def test_every_field_has_a_label_in_words(offer):
    forms = [kind for name, kind in get_type_hints(load(offer).fn).items() if name != "return"]
    while forms:
        for name, field in forms.pop().model_fields.items():
            assert field.title, name
            assert "_" not in field.title
            forms += [field.annotation] if hasattr(field.annotation, "model_fields") else []


def test_the_settings_are_called_settings(offer):
    assert {form["title"] for form in deployment(offer)._parameter_openapi_schema.properties.values()} <= {"Settings"}
