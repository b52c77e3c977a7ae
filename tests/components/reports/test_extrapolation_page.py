"""The study's page, table and data agree, and nothing in them is taken for markup."""

import json
import re
from xml.etree import ElementTree

import pytest

from components.reports.extrapolation_page import markdown, page, write_study


@pytest.fixture
def report():
    finding = {
        "problem": "identity",
        "claim": "a <b>claim</b> | with a bar",
        "measured": "0.5 [0.4, 0.6]",
        "verdict": "holds only because",
        "because": "it is linear",
        "seeds": 5,
        "coverage": 0.9375,
    }
    return {
        "problems": [
            {
                "name": "rolling_average",
                "metric": "rmse",
                "sources": ["generated"],
                "seeds": [0, 1],
                "families": {
                    "offset": {
                        "at": [0.0, 100.0],
                        "inside": [True, False],
                        "methods": {
                            "implicit": [[0.1, 0.05, 0.2], [1.0, 0.5, 2.0]],
                            "least_squares": [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
                            "nalu": [[0.3, 0.3, 0.3], [None, None, None]],
                        },
                    }
                },
            }
        ],
        "findings": [finding, {**finding, "verdict": "doesn't hold", "because": "", "seeds": 2, "coverage": 0.5}],
    }


def test_the_page_shows_verdicts_errors_and_a_figure_with_every_model(report):
    text = page(report)
    assert text.count('class="badge holds-only-because">holds only because') == 1
    assert text.count('class="badge doesnt-hold">') == 1
    assert "a &lt;b&gt;claim&lt;/b&gt;" in text
    assert "<b>claim" not in text
    assert "<script" not in text
    assert "inf [inf, inf]" in text
    svg = re.search(r"<svg.*?</svg>", text, re.DOTALL).group()
    drawn = " ".join(ElementTree.fromstring(svg).itertext())
    assert "offset" in drawn or "<!-- offset -->" in svg
    for name in ("implicit", "least_squares", "nalu"):
        assert f"<!-- {name} -->" in svg


def test_the_same_report_gives_the_same_bytes(report):
    assert page(report) == page(report)


def test_verdicts_from_too_few_seeds_are_provisional(report):
    whole, provisional = (line for line in markdown(report).splitlines() if line.startswith("| identity"))
    assert whole.endswith("| holds only because it is linear | 5 |")
    assert provisional.endswith("| doesn't hold (provisional: too few seeds) | 2 |")


def test_every_row_of_the_markdown_has_the_columns_of_its_head(report):
    tables = re.findall(r"(?:^\|.*\n)+", markdown(report), re.MULTILINE)
    assert len(tables) == 2
    for table in tables:
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(counts) == 1


def test_files_hold_the_same_report(report, tmp_path):
    path = write_study(report, tmp_path / "new" / "folder")
    assert path.read_text() == page(report)
    assert json.loads(path.with_suffix(".json").read_text()) == report
    assert path.with_suffix(".md").read_text() == markdown(report)
