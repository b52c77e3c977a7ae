import polars as pl
import pytest

from pointsman.errors import InputError
from pointsman.files import route_file


def write(path, **columns):
    pl.DataFrame(columns).write_parquet(path)
    return path


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text": ["hello"]}, r"in\.parquet: needs a text column 'prompt'"),
        ({"prompt": [1]}, r"in\.parquet: needs a text column 'prompt'"),
        ({"prompt": ["hello", " ", None]}, r"in\.parquet: prompt is empty in 2 row\(s\), first \[1, 2\]"),
    ],
)
def test_unusable_prompts_are_refused_before_anything_is_written(tmp_path, columns, message):
    source = write(tmp_path / "in.parquet", **columns)
    with pytest.raises(InputError, match=message):
        route_file(tmp_path, source, tmp_path / "out.parquet", "best")
    assert not (tmp_path / "out.parquet").exists()


def test_bytes_that_are_not_utf8_are_refused(tmp_path):
    (tmp_path / "in.jsonl").write_bytes(b'{"prompt": "caf\xe9"}\n')
    with pytest.raises(InputError, match=r"in\.jsonl"):
        route_file(tmp_path, tmp_path / "in.jsonl", tmp_path / "out.jsonl", "best")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.parquet: can't be read"):
        route_file(tmp_path, tmp_path / "none.parquet", tmp_path / "out.parquet", "best")
