import polars as pl

from components.tables.store import write_parquet
from flows.platform.references import keep
from flows.stations.frozen_test import freeze, frozen_test


def splits_of(**split):
    frame = pl.DataFrame({"prompt_id": list(split), "split": list(split.values())})
    return keep("frozen-test", lambda folder: write_parquet(frame, folder / "splits.parquet"))


def test_what_was_once_in_test_stays_frozen(monkeypatch, tmp_path):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    assert frozen_test() is None
    freeze(splits_of(a="train", b="test"))
    first = frozen_test()
    freeze(splits_of(b="test", a="train"))
    assert frozen_test() == first
    freeze(splits_of(a="test", b="train"))
    assert pl.read_parquet(frozen_test().file("frozen_test.parquet"))["prompt_id"].to_list() == ["a", "b"]
