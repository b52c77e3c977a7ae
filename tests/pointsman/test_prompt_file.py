import pytest

from pointsman.errors import InputError
from pointsman.files import route_file
from pointsman.prompt_file import read_rows


@pytest.mark.parametrize(
    ("name", "content", "prompts"),
    [
        ("in.jsonl", b'\xef\xbb\xbf{"prompt": "add 1"}\n{"prompt": "sing"}\n', ["add 1", "sing"]),
        ("in.jsonl", b'{"prompt": "x", "a": NaN}\n\n{"prompt": "y", "a": 1.5}', ["x", "y"]),
        ("in.jsonl", b'{"prompt": NaN, "a": 1}\n{"prompt": "y", "a": [2]}', [None, "y"]),
        ("in.jsonl", '{"prompt": "a\u2028b", "a": NaN}\n'.encode(), ["a\u2028b"]),
        ("in.json", b'\xef\xbb\xbf[{"prompt": "add 1"}]', ["add 1"]),
        ("in.json", b'[{"prompt": "x", "a": NaN}, {"prompt": "y", "a": 2}]', ["x", "y"]),
        ("in.csv", b'\xef\xbb\xbfprompt;a\n"x; y";1,5\n', ["x; y"]),
        ("in.csv", b'"a, b, c"\tprompt\n1\tx\n', ["x"]),
        ("in.csv", b"prompt\nx\n", ["x"]),
    ],
)
def test_files_are_read_as_tables_and_logs_are(bundle, tmp_path, name, content, prompts):
    (tmp_path / name).write_bytes(content)
    assert read_rows(tmp_path / name)["prompt"].to_list() == prompts
    assert route_file(bundle, tmp_path / name, tmp_path / "out.jsonl", "best").prompts == len(prompts)


def test_other_columns_of_json_lines_are_kept_as_they_are_or_as_text(tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"prompt": "x", "a": NaN, "b": [1]}\n{"prompt": "y", "a": 2.5, "b": "é", "c": {"d": 1}}\n')
    frame = read_rows(source)
    assert frame["a"].to_list() == [None, 2.5]
    assert frame["b"].to_list() == ["[1]", "é"]
    assert frame["c"].to_list() == [None, {"d": 1}]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("in.jsonl", b'{"prompt": "x"}\n{bad}\n', "line 2 isn't JSON"),
        ("in.jsonl", b'{"prompt": "x"}\n5\n', "line 2 must be an object, is 5"),
        ("in.jsonl", b'{"prompt": "x"}\n{"prompt": "caf\xe9"}\n', "line 2, byte 15: not UTF-8"),
        ("in.jsonl", b"", "it holds no row"),
        ("in.jsonl", b" \n\n", "it holds no row"),
        ("in.jsonl", b"\xef\xbb\xbf", "it holds no row"),
        ("in.jsonl", b"\xff\xfe{", "is UTF-16; save it as UTF-8"),
        ("in.json", b"", "can't be read as json"),
        ("in.json", b"[]", "it holds no row"),
        ("in.json", b'[{"prompt": "x"},\n{"prompt" "y"}]', "line 2 column 11"),
        ("in.json", b'["x"]', "must be a list of objects"),
        ("in.csv", b"", "it holds no row"),
        ("in.csv", b"prompt,a\nx,1\ny,2,3\n", "line 3 has 3 cells, the first line 2"),
        ("in.csv", b"prompt,a\nx,1\ncaf\xe9,2\n", "line 3, byte 3: not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        read_rows(tmp_path / name)
    assert str(error.value).startswith(f"{tmp_path / name}: ")
    assert said in str(error.value)
    assert "TapeError" not in str(error.value)
