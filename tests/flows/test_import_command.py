"""`pointsman import` as scripts call it: exit codes, what is printed, what is left."""

import json
from pathlib import Path

import pytest

from components.sources.importers import SOURCES
from components.tables.store import read_tables
from pointsman.cli import main

SHEET = "prompt,small,large\n" + "".join(f"{place} + 1?,{place % 2},{place % 3 == 0}\n" for place in range(30))


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "sums.csv"
    path.write_text(SHEET)
    return path


def test_the_formats_are_described(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "--list"]) == 0
    said = capsys.readouterr().out
    assert all(f"\n{name} " in f"\n{said}" for name in SOURCES)


def test_the_help_names_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["import", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert ", ".join(sorted(SOURCES)).replace(", wide-csv", " or wide-csv") in said.replace("- ", "-")


def test_tables_are_written_and_the_account_is_printed(sheet: Path, tmp_path: Path, capsys) -> None:
    options = ["import", "wide-csv", str(sheet), "--data", str(tmp_path / "data")]
    assert main([*options, "--rename", "small=tiny", "--prices", str(_prices(tmp_path))]) == 0
    said = capsys.readouterr().out
    assert said.startswith("read 60 rows of 1 file, used 60\ntables: 30 prompts, 2 candidates, 60 outcomes (60 graded;")
    assert "\ncandidates: large, tiny\n" in said
    assert said.endswith(f"tables written to {tmp_path / 'data'}\nnext: pointsman retrain --data {tmp_path / 'data'}\n")
    assert read_tables(tmp_path / "data").candidates["input_usd_per_mtok"].to_list() == [2, 1]
    assert main([*options, "--append"]) == 0
    assert read_tables(tmp_path / "data").candidates["model"].to_list() == ["large", "small", "tiny"]


def _prices(folder: Path) -> Path:
    path = folder / "prices.json"
    path.write_text(json.dumps({"tiny": {"input_cost_per_token": 1e-6}, "large": {"input_cost_per_token": 2e-6}}))
    return path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["excel", "{sheet}", "--data", "{data}"], "unknown log format 'excel'; known: decisions, inspect, langfuse"),
        (["wide-csv", "{sheet}"], "give a log format, its files and --data FOLDER; pointsman import --list"),
        (["wide-csv", "--data", "{data}"], "give a file or a folder to import"),
        (["wide-csv", "{data}/absent.csv", "--data", "{data}"], "absent.csv: can't be read: no such file"),
        (["wide-csv", "{sheet}", "--data", "{data}", "--scale", "one"], "--scale must be WORST:BEST, such as 1:10"),
        (["wide-csv", "{sheet}", "--data", "{data}", "--rename", "small"], "--rename must be OLD=NEW, got 'small'"),
        (
            ["llmrouter", "{sheet}", "--data", "{data}"],
            "no row can be used as llmrouter\nread 31 rows of 1 file, used 0",
        ),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_writes_nothing(
    arguments: list[str], message: str, sheet: Path, tmp_path: Path, capsys
) -> None:
    data = tmp_path / "data"
    assert main(["import", *(one.format(sheet=sheet, data=data) for one in arguments)]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert "Traceback" not in said.err
    assert not data.exists()


def test_what_nobody_has_graded_is_not_sent_to_a_retrain(tmp_path: Path, capsys) -> None:
    path = tmp_path / "calls.csv"
    path.write_text("prompt,model,quality\n" + "".join(f"{place}?,small,\n" for place in range(30)))
    assert main(["import", "wide-csv", str(path), "--data", str(tmp_path / "data")]) == 0
    said = capsys.readouterr().out
    assert "no answer is graded yet: pointsman grade" in said
    assert "next: pointsman retrain" not in said
    # one that is, and the others are counted
    with path.open("a") as file:
        file.write("graded?,small,1\n")
    assert main(["import", "wide-csv", str(path), "--data", str(tmp_path / "data")]) == 0
    assert "30 answers are not graded yet: pointsman grade" in capsys.readouterr().out


def test_grades_from_1_to_10_are_told_apart_from_perfect_ones(tmp_path: Path, capsys) -> None:
    path = tmp_path / "stars.csv"
    path.write_text(
        "prompt,small,large\n" + "".join(f"{place}?,{1 + place % 10},{1 + place % 7}\n" for place in range(30))
    )
    options = ["import", "wide-csv", str(path), "--data", str(tmp_path / "data")]
    assert main(options) == 2
    assert "--scale 1:10" in capsys.readouterr().err
    assert main([*options, "--scale", "1:10"]) == 0
    assert read_tables(tmp_path / "data").outcomes["quality"].is_between(0, 1).all()
