"""What a purchase is planned by: the router in service, as its gate judges it."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from components.release.publish import publish
from components.release.writing import write_bundle
from components.tables.store import Tables, write_tables
from flows.purchasing import predicted_for
from pointsman.bundle.evidence import Evidence, prompt_digests
from pointsman.router import Router
from tests.fixtures.tiny_router import MODELS, PROMPTS, REPORT, Parts, parts

__all__ = ["parts"]


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    names = [f"p{row}" for row in range(len(PROMPTS))]
    prompts = pl.DataFrame({"prompt_id": names, "prompt": PROMPTS})
    none = pl.DataFrame({"prompt_id": [], "model": []}, schema={"prompt_id": pl.String, "model": pl.String})
    tables = Tables(prompts=prompts, candidates=pl.DataFrame({"model": list(MODELS)}), outcomes=none)
    write_tables(tables, tmp_path / "logs")
    return tmp_path / "logs"


def test_a_prompt_that_was_trained_on_has_the_choice_that_was_made_without_it(
    parts: Parts, logs: Path, tmp_path: Path
) -> None:
    chosen_N = Router.load(parts.write(tmp_path / "plain")).route(PROMPTS).choice_N
    digest_K = np.sort(prompt_digests(PROMPTS[:2]))
    other_K = 1 - chosen_N[:2][np.argsort(prompt_digests(PROMPTS[:2]))]
    evidence = Evidence(
        count_TM=np.ones((2, 2), dtype=np.int64),
        count_M=np.ones(2, dtype=np.int64),
        digest_K=digest_K,
        held_choice_K=other_K.astype(np.int64),
    )
    folder, written = parts.encoder_folder, (parts.model, parts.feature_map)
    router_id = write_bundle(tmp_path / "bundles", *written, folder, parts.provenance, REPORT, parts.golden, evidence)
    publish(tmp_path / "bundles" / router_id, tmp_path / "data" / "published", reasons=["first"])
    found = predicted_for(logs)
    assert found is not None
    assert found.choice_N.tolist() == [*(1 - chosen_N[:2]), *chosen_N[2:]]
    assert (found.models, found.single) == (MODELS, MODELS[0])


def test_without_a_router_there_is_nothing_to_plan_by(logs: Path) -> None:
    assert predicted_for(logs) is None
