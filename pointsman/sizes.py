"""What a small file may become when it is decoded, found without decoding it.

A parquet file's footer is a Thrift struct in the compact protocol: FileMetaData.num_rows (3) and .row_groups (4), of
which RowGroup.total_byte_size (2). https://parquet.apache.org/docs/file-format/metadata/ and
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from pointsman.errors import InputError

PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x78\x01", b"\x78\x9c", b"\x78\xda")
"""Beginnings of gzip, zstd and zlib: polars unpacks such text files whatever they are called."""
MAGIC = b"PAR1"
LARGEST_FOOTER = 64 * 1024**2
"""Bytes."""
_DEEPEST = 32
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)


def parquet_size(path: Path) -> tuple[int, int]:
    """Rows of a parquet file, and its bytes when decompressed, as its footer says.

    Raises:
        InputError: it is no parquet file, or its footer is damaged.
    """
    with path.open("rb") as file:
        length = file.seek(0, 2)
        if length < 12:
            raise InputError(f"{path}: is no parquet file")
        file.seek(length - 8)
        footer, magic = struct.unpack("<I4s", file.read(8))
        if magic != MAGIC or not 0 < footer <= min(length - 12, LARGEST_FOOTER):
            raise InputError(f"{path}: is no parquet file")
        file.seek(length - 8 - footer)
        content = file.read(footer)
    try:
        return _Reader(content).file_metadata()
    except (IndexError, ValueError, struct.error) as error:
        raise InputError(f"{path}: its footer is damaged: {error}") from None


class _Reader:
    """A cursor over compact Thrift."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    def file_metadata(self) -> tuple[int, int]:
        rows = size = 0
        for number, kind in self._fields():
            if number == 3 and kind == _I64:
                rows = self._zigzag()
            elif number == 4 and kind == _LIST:
                length, inner = self._list_head()
                if inner != _STRUCT:
                    raise ValueError("row groups are no structs")
                size = sum(self._row_group() for _ in range(length))
            else:
                self._skip(kind, 0)
        return rows, size

    def _row_group(self) -> int:
        size = 0
        for number, kind in self._fields():
            if number == 2 and kind == _I64:
                size = self._zigzag()
            else:
                self._skip(kind, 0)
        return size

    def _fields(self) -> Iterator[tuple[int, int]]:
        number = 0
        while True:
            head = self._byte()
            if head == 0:
                return
            step = head >> 4
            number = number + step if step else self._zigzag()
            yield number, head & 0x0F

    def _skip(self, kind: int, depth: int) -> None:
        if depth > _DEEPEST:
            raise ValueError("too deep")
        if kind in (_LIST, _SET, _MAP, _STRUCT):
            self._skip_nested(kind, depth + 1)
        elif kind in (_I16, _I32, _I64):
            self._varint()
        elif kind == _BYTE:
            self._byte()
        elif kind == _DOUBLE:
            self._jump(8)
        elif kind == _BINARY:
            self._jump(self._varint())
        elif kind not in (_TRUE, _FALSE):
            raise ValueError(f"type {kind}")

    def _skip_nested(self, kind: int, depth: int) -> None:
        if kind == _STRUCT:
            for _, inner in self._fields():
                self._skip(inner, depth)
        elif kind == _MAP:
            length = self._varint()
            kinds = self._byte() if length else 0
            for _ in range(length):
                self._skip(kinds >> 4, depth)
                self._skip(kinds & 0x0F, depth)
        else:
            length, inner = self._list_head()
            for _ in range(length):
                # in a list, a truth value is a byte of its own
                self._skip(_BYTE if inner in (_TRUE, _FALSE) else inner, depth)

    def _list_head(self) -> tuple[int, int]:
        head = self._byte()
        length = head >> 4
        return (self._varint() if length == 15 else length), head & 0x0F

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("a number of more than 64 bits")

    def _byte(self) -> int:
        self._at += 1
        return self._content[self._at - 1]

    def _jump(self, length: int) -> None:
        if length < 0 or self._at + length > len(self._content):
            raise ValueError("a text beyond its end")
        self._at += length
