"""A parquet file's size as its footer says it, against pyarrow's reader."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pointsman.errors import InputError
from pointsman.sizes import parquet_size


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd", "gzip"])
@pytest.mark.parametrize("rows", [0, 1, 1000, 70_000])
def test_rows_and_bytes_are_what_arrow_reads(tmp_path, rows, compression):
    table = pa.table(
        {
            "prompt": pa.array([f"prompt {n % 7}" for n in range(rows)], pa.string()),
            "n": pa.array(range(rows), pa.int64()),
            "deep": pa.array(
                [[{"a": n, "b": [True, None]}] for n in range(rows)],
                pa.list_(pa.struct({"a": pa.int32(), "b": pa.list_(pa.bool_())})),
            ),
        },
        metadata={"note": "x" * 300},
    )
    pq.write_table(table, tmp_path / "a.parquet", compression=compression, row_group_size=9_000)
    footer = pq.read_metadata(tmp_path / "a.parquet")
    size = sum(footer.row_group(group).total_byte_size for group in range(footer.num_row_groups))
    assert parquet_size(tmp_path / "a.parquet") == (rows, size)


def test_whatever_is_cut_or_changed_is_refused_or_read_and_nothing_else(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"prompt": ["a", "b"]}), path)
    whole = path.read_bytes()
    refused = 0
    for cut in (0, 4, 11, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(InputError, match=r"a\.parquet"):
            parquet_size(path)
    for place in range(len(whole) - 200, len(whole)):
        for value in (0x00, 0xFF, 0x19, 0x7F):
            path.write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
            try:
                parquet_size(path)
            except InputError:
                refused += 1
    assert refused > 20
