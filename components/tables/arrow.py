"""What Arrow knows of packed files. The only importer of pyarrow."""

import io
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq


def parquet_size(path: Path) -> tuple[int, int]:
    """Rows of a parquet file, and its bytes when decompressed, as its footer says.

    Raises:
        OSError: unreadable, or no parquet.
    """
    try:
        footer = pq.read_metadata(path)
    except pa.ArrowException as error:
        raise OSError(str(error)) from error
    return footer.num_rows, sum(footer.row_group(group).total_byte_size for group in range(footer.num_row_groups))


def unpacked(file: IO[bytes] | bytes, packing: str) -> io.BufferedReader:
    """A file's bytes unpacked as they are read.

    Args:
        file: an open file, or the bytes themselves.
        packing: 'gzip' or 'zstd'.
    """
    source = pa.BufferReader(file) if isinstance(file, bytes) else file
    return io.BufferedReader(cast(Any, pa.CompressedInputStream(source, packing)), 1 << 20)
