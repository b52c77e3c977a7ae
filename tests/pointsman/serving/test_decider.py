"""Which line a request stands in."""

import pytest
from fastapi.testclient import TestClient

from pointsman.serving.app import ServingConfig, create_app
from pointsman.serving.batching import Batcher
from pointsman.serving.decider import LONG

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def test_a_long_prompt_stands_behind_in_the_line_of_pieces(bundle, monkeypatch):
    lines = []
    submit = Batcher.submit

    def noted(self, asked, *, piece=False):
        lines.append(piece)
        return submit(self, asked, piece=piece)

    monkeypatch.setattr(Batcher, "submit", noted)
    http = TestClient(create_app(bundle, ServingConfig(reload_seconds=0)))
    for prompts in (["add 1 2"], ["add " * LONG], ["add 1", "sum " * (LONG // 4 + 1)], ["add 1"] * 5):
        assert http.post("/v1/route", json={"prompts": prompts}).status_code == 200
    # of five prompts, pieces of four and one
    assert lines == [False, True, True, True, True]
