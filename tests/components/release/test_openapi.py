"""The server against requests made from its own OpenAPI document, valid and not: never a server error."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from pointsman.serving.app import ServingConfig, create_app

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::Warning")]
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
EXAMPLES = 80


def operations(app):
    return {
        f"{operation.method.upper()} {operation.path}": operation
        for operation in (
            result.ok() for result in schemathesis.openapi.from_asgi("/openapi.json", app).get_all_operations()
        )
    }


BOTH, RIGHT = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE), (GenerationMode.POSITIVE,)
PATHS = {
    "POST /v1/route": BOTH,
    "POST /v1/outcomes": BOTH,
    "GET /v1/standing": BOTH,
    # without parameters nothing can be wrong with them
    "GET /v1/router": RIGHT,
    "GET /v1/traffic": RIGHT,
    "GET /healthz": RIGHT,
    "GET /metrics": RIGHT,
}


@pytest.mark.parametrize(("name", "mode"), [(name, mode) for name, modes in PATHS.items() for mode in modes])
def test_no_request_makes_a_server_error(bundle, name, mode):
    operation, codes = operations(create_app(bundle, ServingConfig(largest_batch=4)))[name], set()

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def fuzz(case):
        codes.add(case.call_and_validate(checks=CHECKS).status_code)

    fuzz()
    assert codes <= {200, 400, 405, 413, 422}
    if name == "POST /v1/route":
        assert 422 in codes


def test_without_the_token_nothing_is_answered(bundle):
    found = operations(create_app(bundle, ServingConfig(token="sesame")))

    @settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=found["POST /v1/route"].as_strategy())
    def fuzz(case):
        assert case.call_and_validate(checks=CHECKS).status_code == 401

    fuzz()


def test_the_document_names_every_path(bundle):
    assert set(operations(create_app(bundle))) == set(PATHS)
