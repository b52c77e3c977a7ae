"""A prompt is found wherever a page, a document, a table or a database shows its beginning."""

import bz2
import gzip
import html
import json
import lzma
import sqlite3
import zipfile

import numpy as np
import polars as pl
import pytest

from components.forgetting import pieces
from components.forgetting.pieces import Place
from components.forgetting.quotes import Found, Quotes
from components.reports.page import write_page
from components.reports.task_map import points, write_map
from tests.fixtures.tiny_router import REPORT

PROMPT = 'My doctor <Dr. Nowak> said "take 5 mg"\n& rest; äöü 漢字. What does   that mean for me and my work this week?'
OTHER = "My doctor said that I should rest. What does that mean for me and my work this week?"


@pytest.fixture
def quotes():
    return Quotes([PROMPT, "yes"])


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize(
    "text", [PROMPT, PROMPT[:160] + "…", f"Below is a prompt.\n<prompt>\n{PROMPT[:50]}\n</prompt>"]
)
def test_json_and_its_lines(quotes, tmp_path, text, ascii_only):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"tasks": [{"medoids": [OTHER, text]}]}, ensure_ascii=ascii_only, indent=1))
    assert quotes.within(path)
    path.write_text("\n".join(json.dumps({"text": one}, ensure_ascii=ascii_only) for one in (OTHER, text)))
    assert quotes.within(path)
    path.write_text(json.dumps({"data": json.dumps([{"prompt": text}], ensure_ascii=ascii_only)}))
    assert quotes.within(path)
    path.write_text(json.dumps({"tasks": [{"medoids": [OTHER]}]}))
    assert not quotes.within(path)


def test_pages_maps_tables_and_databases(quotes, tmp_path):
    for text, there in ((PROMPT, True), (OTHER, False)):
        task = {"id": "t1", "label": "a", "size": 4, "keywords": ["b"], "best": "m", "medoids": [text]}
        page = write_page({**REPORT, "tasks": [task]}, tmp_path / "page")
        assert quotes.within(page) is (Found.YES if there else Found.NO)
        shown = points(np.zeros((2, 2), np.float32), ["a", "a"], [OTHER, text])
        write_map(shown, [task], tmp_path / "map.html")
        assert quotes.within(tmp_path / "map.html") is (Found.YES if there else Found.NO)
        (tmp_path / "a.md").write_text(f"# Groups\n\n> {html.escape(text)}\n")
        assert quotes.within(tmp_path / "a.md") is (Found.YES if there else Found.NO)
        pl.DataFrame({"n": [1, 2], "question": [None, text]}).write_parquet(tmp_path / "a.parquet")
        assert quotes.within(tmp_path / "a.parquet") is (Found.YES if there else Found.NO)
        with sqlite3.connect(tmp_path / "a.db") as database:
            database.execute("DROP TABLE IF EXISTS artifact")
            database.execute("CREATE TABLE artifact (id INTEGER, data TEXT)")
            database.execute("INSERT INTO artifact VALUES (1, ?)", [json.dumps([{"example": text}])])
        assert quotes.within(tmp_path / "a.db") is (Found.YES if there else Found.NO)


def test_a_short_prompt_must_stand_alone(quotes, tmp_path):
    path = tmp_path / "a.json"
    for content, found in (({"text": "yes, of course"}, Found.NO), ({"medoids": [" yes\n"]}, Found.YES)):
        path.write_text(json.dumps(content))
        assert quotes.within(path) is found


def test_a_short_prompt_counts_where_prompts_stand_and_perhaps_where_nothing_says_what_it_is(quotes, tmp_path):
    path = tmp_path / "a.json"
    for content, found in (
        ({"yes": 1}, Found.NO),
        ({"split": "yes", "passed": ["yes"]}, Found.NO),
        ({"model": {"vocab": {"yes": 7}}, "merges": ["yes"]}, Found.NO),
        ({"question": "yes"}, Found.YES),
        ({"messages": [{"role": "user", "content": "yes"}]}, Found.YES),
        ({"data": json.dumps({"split": "yes"})}, Found.NO),
        ({"data": json.dumps({"examples": ["yes"]})}, Found.YES),
    ):
        path.write_text(json.dumps(content))
        assert quotes.within(path) is found, content
    for name, content in (("a.md", "# Report\nyes\n"), ("a.html", "<table><td>yes</td></table>")):
        (tmp_path / name).write_text(content)
        assert quotes.within(tmp_path / name) is Found.PERHAPS
    for column, found in (("split", Found.NO), ("prompt", Found.YES)):
        pl.DataFrame({column: ["yes"]}).write_parquet(tmp_path / "a.parquet")
        assert quotes.within(tmp_path / "a.parquet") is found
        with sqlite3.connect(tmp_path / f"{column}.db") as database:
            database.execute(f"CREATE TABLE kept ({column} TEXT)")
            database.execute("INSERT INTO kept VALUES ('yes')")
        assert quotes.within(tmp_path / f"{column}.db") is found
    (tmp_path / "tokenizer.json").write_text(json.dumps({"text": "yes"}))
    assert quotes.within(tmp_path / "tokenizer.json") is Found.NO


def test_packed_files_are_unpacked(quotes, tmp_path):
    content = json.dumps({"prompt": PROMPT}, ensure_ascii=False).encode()
    for name, packed in (("a.jsonl.gz", gzip.compress), ("a.xz", lzma.compress), ("a.bz2", bz2.compress)):
        (tmp_path / name).write_bytes(packed(content))
        assert quotes.within(tmp_path / name) is Found.YES
        (tmp_path / name).write_bytes(packed(OTHER.encode()))
        assert quotes.within(tmp_path / name) is Found.NO
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("b/prompts.jsonl", content)
    assert quotes.within(tmp_path / "a.zip") is Found.YES
    (tmp_path / "a.csv").write_bytes(f"id,prompt\n1,{PROMPT}".encode("utf-16"))
    assert quotes.within(tmp_path / "a.csv") is Found.YES


def test_what_cannot_be_read_is_not_known(quotes, tmp_path, monkeypatch):
    (tmp_path / "a.db").write_bytes(b"SQLite format 3\0" + bytes(100))
    (tmp_path / "a.parquet").write_bytes(b"PAR1 torn")
    (tmp_path / "a.zst").write_bytes(b"\x28\xb5\x2f\xfd packed")
    (tmp_path / "torn.gz").write_bytes(gzip.compress(OTHER.encode())[:-9])
    (tmp_path / "twice.gz").write_bytes(gzip.compress(gzip.compress(PROMPT.encode())))
    (tmp_path / "damaged.gz").write_bytes(gzip.compress(b"")[:10] + b"damaged in its middle")
    (tmp_path / "torn.zip").write_bytes(b"PK\x03\x04 torn")
    assert {quotes.within(path) for path in tmp_path.iterdir()} == {Found.UNKNOWN}
    (tmp_path / "link").symlink_to(tmp_path / "a.db")
    assert quotes.within(tmp_path / "link") is Found.NO
    assert quotes.within(tmp_path / "gone") is Found.NO
    monkeypatch.setattr(pieces, "LARGEST", 9)
    (tmp_path / "large.gz").write_bytes(gzip.compress(b"more than nine"))
    assert quotes.within(tmp_path / "large.gz") is Found.UNKNOWN


def test_blank_texts_are_quoted_nowhere():
    assert not Quotes(["", "  "]).among([("", Place.PROMPT), ("anything", Place.PROMPT)])
