import gzip
import json
import zlib
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from pointsman.bundle.manifest import Candidate
from pointsman.cli import main
from pointsman.errors import InputError
from pointsman.files import FileRouting, route_file
from pointsman.prompt_file import MOST_ROWS, SUFFIXES, read_rows
from pointsman.router import Router
from pointsman.text.conversation import routed_messages


def write(path, **columns):
    pl.DataFrame(columns).write_parquet(path)
    return path


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text": ["hello"]}, r"in\.parquet: needs a text column 'prompt'; its columns: text"),
        ({"prompt": [1]}, r"in\.parquet: needs a text column 'prompt'"),
    ],
)
def test_unusable_prompts_are_refused_before_anything_is_written(tmp_path, columns, message):
    source = write(tmp_path / "in.parquet", **columns)
    with pytest.raises(InputError, match=message):
        route_file(tmp_path, source, tmp_path / "out.parquet", "best")
    assert not (tmp_path / "out.parquet").exists()


def test_an_unknown_suffix_is_named_before_anything_isread_rows(tmp_path):
    for source, target in (("in.txt", "out.csv"), ("in.csv", "out.xlsx")):
        with pytest.raises(InputError, match=r"\.(txt|xlsx): must end in one of \.parquet"):
            route_file(tmp_path, tmp_path / source, tmp_path / target, "best")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_in_and_out_decides_the_same(bundle, tmp_path, suffix):
    prompts = ["What is 2 + 2?", "007", "", None, 'two\nlines, "quoted"']
    frame = pl.DataFrame({"prompt": prompts, "mine": ["a", "b", "c", "d", "e"]})
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    {
        ".parquet": frame.write_parquet,
        ".csv": frame.write_csv,
        ".json": frame.write_json,
    }.get(suffix, frame.write_ndjson)(source)
    assert route_file(bundle, source, target, "best") == FileRouting(prompts=5, empty=2)
    decided = read_rows(target)
    assert decided["mine"].to_list() == frame["mine"].to_list()
    assert [reason == "empty" for reason in decided["reason"]] == [False, False, True, True, False]
    wanted = Router.load(bundle).route([prompt or "" for prompt in prompts])
    assert decided["candidate"].to_list() == wanted.candidate
    scores = decided["scores"][0]
    scores = json.loads(scores) if isinstance(scores, str) else scores.to_list()
    assert [one["candidate"] for one in scores] == list(wanted.candidates)


@pytest.fixture(scope="module")
def limited(parts, tmp_path_factory):
    """A bundle whose candidates have windows of 40 and 400 tokens; nobody knows the price of the larger one."""
    candidates = (Candidate(model="small", context_window=40), Candidate(model="large", context_window=400))
    cost = replace(parts.model.cost, input_usd_per_mtok_M=np.array([0.1, np.nan]))
    changed = replace(
        parts,
        model=replace(parts.model, cost=cost),
        provenance=replace(parts.provenance, candidates=candidates),
    )
    return changed.write(tmp_path_factory.mktemp("limited"))


LONG, LONGEST = "add 1 and 2 " * 20, "add 1 and 2 " * 200


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("prompts", [["add 1", LONGEST, "sing", LONG, ""], [LONGEST, LONGEST]])
def test_a_prompt_that_nobody_can_take_does_not_refuse_its_file(limited, tmp_path, capsys, suffix, prompts):
    source, target = write(tmp_path / "in.parquet", prompt=prompts), tmp_path / f"out{suffix}"
    command = ["route", "--router", str(limited), "--input", str(source), "--output", str(target)]
    assert main([*command, "--policy", "best"]) == 0
    decided, said = read_rows(target), capsys.readouterr()
    without = [prompt == LONGEST for prompt in prompts]
    assert decided["prompt"].fill_null("").to_list() == prompts
    assert [name in (None, "") for name in decided["candidate"]] == without
    assert [reason.startswith("none eligible: no candidate is left") for reason in decided["reason"]] == without
    assert "too small for about" in decided["reason"][without.index(True)]
    assert f"{len(prompts) - sum(without)} decisions written to" in said.out
    assert f"{sum(without)} of {len(prompts)} prompts have no candidate" in said.err
    taken = [prompt for prompt in prompts if prompt != LONGEST]
    alone = Router.load(limited).route(taken, "best")
    assert [name for name in decided["candidate"] if name] == alone.candidate
    assert set(decided["policy"]) == {"best"}
    # one after the other the service still refuses
    with pytest.raises(ValueError, match="prompt 0: no candidate is left"):
        Router.load(limited).route([LONGEST], "best")


def test_an_empty_prompt_that_nobody_can_take_says_so(limited, tmp_path):
    source, target = write(tmp_path / "in.parquet", prompt=["", LONG]), tmp_path / "out.parquet"
    found = route_file(limited, source, target, "best", max_output_tokens=400)
    assert found == FileRouting(prompts=2, empty=1, undecided=1)
    assert [reason.partition(":")[0] for reason in read_rows(target)["reason"]] == ["empty", "none eligible"]


def test_a_table_without_rows_is_routed(bundle, tmp_path):
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    pl.DataFrame(schema={"prompt": pl.String}).write_parquet(source)
    assert route_file(bundle, source, target, "best") == FileRouting(prompts=0, empty=0)
    assert {"prompt", "candidate", "reason"} < set(read_rows(target).columns)


def test_a_prompt_whose_only_candidates_have_no_known_cost_does_not_refuse_its_file(limited, tmp_path):
    source, target = write(tmp_path / "in.parquet", prompt=["add 1", LONG, LONGEST]), tmp_path / "out.parquet"
    assert route_file(limited, source, target, "tradeoff=1").undecided == 2
    decided = read_rows(target)
    assert decided["candidate"].to_list() == ["small", None, None]
    assert "needs expected costs" in decided["reason"][1]
    assert "too small" in decided["reason"][2]


@pytest.mark.parametrize(
    "asked",
    [{"exclude": ["small", "large"]}, {"among": ["small"], "exclude": ["small"]}, {"max_output_tokens": 500}],
)
def test_a_request_that_leaves_nobody_for_any_prompt_is_refused(limited, tmp_path, asked):
    source = write(tmp_path / "in.parquet", prompt=["add 1", "sing"])
    with pytest.raises(ValueError, match="no candidate is left"):
        route_file(limited, source, tmp_path / "out.parquet", "best", **asked)
    assert not (tmp_path / "out.parquet").exists()


def ask(text, *before):
    return [{"role": role, "content": content} for role, content in (*before, ("user", text))]


PICTURE = [{"type": "text", "text": "add 3"}, {"type": "image_url", "image_url": {"url": "x"}}]


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".ndjson", ".json", ".csv"])
@pytest.mark.parametrize("name", ["prompt", "messages"])
def test_messages_are_routed_by_the_routers_rule_in_every_format(bundle, tmp_path, suffix, name):
    conversations = [ask("add 1 and 2"), ask("and 3?", ("user", "sing"), ("assistant", "la")), ask("sing")]
    source, target = tmp_path / f"in{suffix}", tmp_path / "out.jsonl"
    frame = pl.DataFrame({name: conversations, "mine": ["a", "b", "c"]})
    if suffix == ".csv":
        frame = frame.with_columns(pl.Series(name, [json.dumps(one) for one in conversations]))
    {".parquet": frame.write_parquet, ".csv": frame.write_csv, ".json": frame.write_json}.get(
        suffix, frame.write_ndjson
    )(source)
    assert route_file(bundle, source, target, "best") == FileRouting(prompts=3, empty=0)
    texts = [routed_messages(one).text for one in conversations]
    assert [json.loads(line)["candidate"] for line in target.read_text().splitlines()] == (
        Router.load(bundle).route(texts, "best").candidate
    )
    assert [json.loads(line)["mine"] for line in target.read_text().splitlines()] == ["a", "b", "c"]


@pytest.fixture(scope="module")
def seeing(parts, tmp_path_factory):
    """A bundle whose large candidate alone sees, within 400 tokens."""
    candidates = (Candidate(model="small", capabilities=()), Candidate(model="large", capabilities=("vision",)))
    candidates = (candidates[0], replace(candidates[1], context_window=400))
    changed = replace(parts, provenance=replace(parts.provenance, candidates=candidates))
    return changed.write(tmp_path_factory.mktemp("seeing"))


def test_what_messages_hold_is_required_and_what_is_sent_is_measured(seeing, tmp_path):
    rows = [
        {"prompt": "sing"},
        {"prompt": ask(PICTURE)},
        {"prompt": None},
        {"prompt": ask(PICTURE, ("system", LONGEST))},
        {"prompt": [{"role": "system", "content": "only me"}]},
        {"prompt": ask("add 1")},
    ]
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = route_file(seeing, source, target, "best", exclude=[])
    assert found == FileRouting(prompts=6, empty=2, undecided=1)
    decided = read_rows(target)
    assert decided["candidate"][1] == "large"
    assert decided["candidate"].is_null().to_list() == [False, False, False, True, False, False]
    assert "without what it requires (vision): small; too small for about" in decided["reason"][3]
    assert [reason == "empty" for reason in decided["reason"]] == [False, False, True, False, True, False]
    alone = Router.load(seeing).route(["sing", "add 1"], "best").candidate
    assert [decided["candidate"][0], decided["candidate"][5]] == alone
    with pytest.raises(InputError, match="a budget is one for all prompts, but only some need vision"):
        route_file(seeing, source, target, "budget=1")
    # nobody sees who is asked for: that is so of some prompts, not of the file
    assert route_file(seeing, source, target, "best", among=["small"]).undecided == 2


NESTED = {
    "moments": [[datetime(2026, 1, 2), None], None],
    "day": [{"at": date(2026, 1, 2), "sum": Decimal("1.50")}, {"at": None, "sum": None}],
    "clock": [[time(1, 2)], []],
}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_columns_of_every_type_pass_through(bundle, tmp_path, suffix):
    source, target = write(tmp_path / "in.parquet", prompt=["add 1", "sum 2"], **NESTED), tmp_path / f"out{suffix}"
    route_file(bundle, source, target, "best")
    decided = read_rows(target)
    assert {*NESTED, "candidate"} < set(decided.columns)
    if suffix == ".csv":
        assert json.loads(decided["moments"][0]) == ["2026-01-02 00:00:00", None]
        assert json.loads(decided["day"][0]) == {"at": "2026-01-02", "sum": "1.50"}


@pytest.mark.parametrize(
    ("column", "suffixes"),
    [
        (pl.Series([b"\xff"]), [".csv", ".jsonl", ".ndjson", ".json"]),
        (pl.Series([[b"\xff"]]), [".csv", ".jsonl", ".ndjson", ".json"]),
        (pl.Series([[{"a": b"\xff"}]]), [".csv", ".jsonl", ".ndjson", ".json"]),
        (pl.Series([timedelta(1)]), [".csv"]),
        (pl.Series([{"a": timedelta(1)}]), [".csv"]),
    ],
)
def test_what_a_format_has_no_form_for_is_refused_by_name(bundle, tmp_path, column, suffixes):
    source = write(tmp_path / "in.parquet", prompt=["add 1"], mine=column)
    for suffix in SUFFIXES:
        target = tmp_path / f"out{suffix}"
        if suffix in suffixes:
            # there is no router in the folder: none was asked for
            with pytest.raises(InputError, match=rf"in\.parquet: {suffix[1:]} has no form for mine \("):
                route_file(tmp_path, source, target, "best")
        else:
            route_file(bundle, source, target, "best")
        assert target.exists() == (suffix not in suffixes)


def test_columns_called_as_a_decisions_are_kept_under_another_name(bundle, tmp_path, capsys):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    pl.DataFrame({"task": ["t"], "prompt": ["add 1"], "margin": ["m"], "input_margin": ["i"]}).write_csv(source)
    command = ["route", "--router", str(bundle), "--input", str(source), "--output", str(target)]
    assert main([*command, "--among", "small, large"]) == 0
    decided = read_rows(target)
    assert decided.columns[:4] == ["input_task", "prompt", "input_input_margin", "input_margin"]
    assert decided.select("input_task", "input_input_margin", "input_margin").rows() == [("t", "m", "i")]
    assert decided["candidate"][0] in ("small", "large")
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "task as input_task, margin as input_input_margin" in said
    # a file that was routed before is one, too
    again = route_file(bundle, target, tmp_path / "again.csv", "best").renamed
    assert again["candidate"] == "input_candidate"
    assert len(again) == 9


def test_bytes_that_are_not_utf8_are_refused(tmp_path):
    (tmp_path / "in.jsonl").write_bytes(b'{"prompt": "caf\xe9"}\n')
    with pytest.raises(InputError, match=r"in\.jsonl"):
        route_file(tmp_path, tmp_path / "in.jsonl", tmp_path / "out.jsonl", "best")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.parquet: can't be read"):
        route_file(tmp_path, tmp_path / "none.parquet", tmp_path / "out.parquet", "best")


def bomb(path, rows, text=None):
    """A small file of many rows, each of them the same."""
    whole, last = divmod(rows, 1_000_000)
    part = pl.DataFrame({"prompt": [text]}, schema={"prompt": pl.String})
    frames = [
        pl.select(pl.repeat(text, height, dtype=pl.String).alias("prompt")) for height in (*[1_000_000] * whole, last)
    ]
    pl.concat([part, *frames]).head(rows).write_parquet(path, compression="zstd")
    assert path.stat().st_size < 1_000_000
    return path


@pytest.mark.parametrize(
    ("rows", "text", "said"),
    [(MOST_ROWS + 1, None, "rows, at most"), (300_000, "x" * 10_000, "its prompts have 3000000000 bytes")],
)
def test_attack_13_a_parquet_bomb_is_refused_by_its_size(tmp_path, rows, text, said):
    source = bomb(tmp_path / "in.parquet", rows, text)
    with pytest.raises(InputError, match=said):
        route_file(tmp_path, source, tmp_path / "out.csv", "best")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json"])
@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_attack_13_a_packed_text_file_is_not_unpacked(tmp_path, suffix, pack):
    (tmp_path / f"in{suffix}").write_bytes(pack(b'{"prompt": "a"}\n' * 100))
    with pytest.raises(InputError, match="is packed; unpack it first"):
        route_file(tmp_path, tmp_path / f"in{suffix}", tmp_path / "out.csv", "best")
