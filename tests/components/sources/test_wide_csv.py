from pathlib import Path

import pytest

from components.tables.errors import TableError
from tests.components.sources.conftest import cells


def sheet(folder: Path, text: str, name: str = "sums.csv", encoding: str = "utf-8") -> Path:
    (folder / "logs").mkdir(exist_ok=True)
    path = folder / "logs" / name
    path.write_bytes(text.encode(encoding))
    return path


EIGHT = "".join(f"{place} + 1?,{place % 2},{(place + 1) % 2}\n" for place in range(8))


def test_cells_are_outcomes_and_columns_beside_are_read(tmp_path: Path, imported) -> None:
    text = (
        "prompt,benchmark,a,b,a|total_cost,a|model_response,b_input_tokens\n"
        '"Hi, you\nthere",chat,1,0.25,0.002,Hello,7\nBye,chat,,0,,,\n'
    )
    _, tables = imported("wide-csv", sheet(tmp_path, text))
    assert cells(tables) == {("Hi, you\nthere", "a"): 1, ("Hi, you\nthere", "b"): 0.25, ("Bye", "b"): 0}
    assert tables.prompts["benchmark"].to_list() == ["chat", "chat"]
    assert sorted(tables.outcomes["cost_usd"].drop_nulls()) == [0.002]
    assert tables.outcomes["input_tokens"].drop_nulls().to_list() == [7]


@pytest.mark.parametrize(
    "text",
    [
        "prompt,a,b\nx,0.5,1\ny,0,1\n",
        "Prompt ,a,b\nx,50%,100%\ny,0%,TRUE\n",
        "\ufeffprompt;a;b\r\nx;0,5;1\r\ny;0;1,0\r\n\r\n",
        'prompt,a,b\nx,"0,5",true\ny,False,True\n',
        "question\ta\tb\nx\t.5\t1\ny\t0\tyes\n",
    ],
)
def test_spreadsheets_write_one_grade_in_many_ways(tmp_path: Path, imported, text: str) -> None:
    tally, tables = imported("wide-csv", sheet(tmp_path, text))
    assert cells(tables) == {("x", "a"): 0.5, ("x", "b"): 1, ("y", "a"): 0, ("y", "b"): 1}
    assert tally.reasons.total() == 0


@pytest.mark.parametrize("cell", ["", " ", "nan", "NaN", "N/A", "null", "-"])
def test_unknown_cells_are_not_observed(tmp_path: Path, imported, cell: str) -> None:
    _, tables = imported("wide-csv", sheet(tmp_path, f"prompt,a,b\nx,{cell},1\ny,0,1\n"))
    assert ("x", "a") not in cells(tables)
    assert len(cells(tables)) == 3


def test_answers_are_not_taken_for_grades(tmp_path: Path, imported) -> None:
    text = "prompt,a,b,a_response,why\n" + EIGHT.replace("\n", ',"It is 4, I think",because of 2\n')
    tally, tables = imported("wide-csv", sheet(tmp_path, text))
    assert tables.candidates["model"].to_list() == ["a", "b"]
    assert tally.remarks == {"column 'why' passed over: its cells are no grades": 8}


def test_a_single_cell_that_is_no_grade_is_one_row(tmp_path: Path, imported) -> None:
    tally, _ = imported("wide-csv", sheet(tmp_path, f"prompt,a,b\n{EIGHT}q,good,1\n"))
    assert tally.reasons == {"the grade is no number": 1}


@pytest.mark.parametrize(("cell", "reason"), [("2", "outside [0, 1]"), ("inf", "no number"), ("good", "no number")])
def test_a_cell_that_is_no_grade_takes_no_other_away(tmp_path: Path, imported, cell: str, reason: str) -> None:
    tally, tables = imported(
        "wide-csv", sheet(tmp_path, f"prompt,a,b,a_cost\n{EIGHT.replace(chr(10), ',1' + chr(10))}q,{cell},1,1\n")
    )
    assert {name: quality for (prompt, name), quality in cells(tables).items() if prompt == "q"} == {"b": 1}
    assert tally.reasons == {f"the grade is {reason}": 1}
    assert tally.first[0].detail == f"the grade is {reason}: '{cell} in column a'"
    assert tally.read == 18


@pytest.mark.parametrize(
    ("row", "reason"), [("x,1,0,1,0", "more cells"), ("x,1", "fewer cells"), (" ,1,0", "the prompt")]
)
def test_shifted_and_blank_rows_are_set_aside(tmp_path: Path, imported, row: str, reason: str) -> None:
    tally, tables = imported("wide-csv", sheet(tmp_path, f"prompt,a,b\n{EIGHT}{row}\n"))
    assert tables.prompts.height == 8
    assert [said for said in tally.reasons if reason in said]


def test_a_repeated_prompt_is_averaged(tmp_path: Path, imported) -> None:
    _, tables = imported("wide-csv", sheet(tmp_path, "prompt,a,b\nx,0,1\nx,1,1\ny,1,0\n"))
    assert cells(tables)["x", "a"] == 0.5
    assert tables.outcomes["samples"].sum() == 6


def test_long_prompts_are_read(tmp_path: Path, imported) -> None:
    _, tables = imported("wide-csv", sheet(tmp_path, f"prompt,a,b\n{'x y ' * 80_000},1,0\ny,0,1\n"))
    assert tables.prompts["prompt"].str.len_chars().max() == 319_999 + 1


def test_a_folder_of_files_is_one_log(tmp_path: Path, imported) -> None:
    sheet(tmp_path, "prompt,a\nx,1\n", "first.csv")
    path = sheet(tmp_path, "prompt,b\nx,0\ny,1\n", "second.csv")
    _, tables = imported("wide-csv", path.parent)
    assert tables.prompts.select("prompt", "benchmark").rows() == [("x", "first"), ("x", "second"), ("y", "second")]


def test_ids_that_begin_anew_in_every_file_join_no_prompts(tmp_path: Path, imported) -> None:
    first = sheet(tmp_path, "id,question,a,b\n1,x,1,0\n2,y,0,1\n", "first.csv")
    second = sheet(tmp_path, "id,question,a,b\n1,z,1,0\n2,y,0,1\n", "second.csv")
    _, tables = imported("wide-csv", first.parent, data=tmp_path / "both")
    expected = {(p, m): float(m == ("b" if p == "y" else "a")) for p in "xyz" for m in "ab"}
    assert cells(tables) == expected
    imported("wide-csv", first)
    for path in (second, first, second):
        _, added = imported("wide-csv", path, append=True)
        assert cells(added) == expected
        assert sorted(added.prompts["prompt_id"]) == sorted(tables.prompts["prompt_id"])


def test_tokens_are_whole_numbers_with_thousands_parted(tmp_path: Path, imported) -> None:
    text = 'prompt,model,score,input_tokens,output_tokens,cost\nx,a,1,"1,234","12 345","0,5"\n'
    _, tables = imported("wide-csv", sheet(tmp_path, text))
    assert tables.outcomes.select("input_tokens", "output_tokens", "cost_usd").row(0) == (1234, 12345, 0.5)


@pytest.mark.parametrize("text", [",prompt,a,b\n0,x,1,0\n1,y,0,1\n", "prompt,a,b,,\nx,1,0,,\ny,0,1,,\n"])
def test_columns_without_a_name_are_no_models(tmp_path: Path, imported, text: str) -> None:
    _, tables = imported("wide-csv", sheet(tmp_path, text))
    assert tables.candidates["model"].to_list() == ["a", "b"]


def test_a_table_of_calls_may_name_its_grades_otherwise(tmp_path: Path, imported) -> None:
    path = sheet(tmp_path, "prompt,model,accuracy,latency_ms,tokens\nx,small,1,900,12\nx,large,0,800,15\n")
    with pytest.raises(TableError, match="one row a call, but no column of grades"):
        imported("wide-csv", path)
    assert cells(imported("wide-csv", path, metric="accuracy")[1]) == {("x", "small"): 1, ("x", "large"): 0}


def test_one_row_a_call(tmp_path: Path, imported) -> None:
    text = "prompt,model,score,cost,response\nx,a,1,0.1,yes\nx,b,0,0.2,no\ny,a,,0.1,maybe\n"
    _, tables = imported("wide-csv", sheet(tmp_path, text))
    assert cells(tables) == {("x", "a"): 1, ("x", "b"): 0, ("y", "a"): None}
    assert tables.responses is not None
    assert tables.responses["response"].to_list() == ["maybe"]


def beside(tables, name: str) -> dict[str, object]:
    """A figure of the outcomes by model."""
    return dict(tables.outcomes.sort("prompt_id").group_by("model").agg(name).sort("model").iter_rows())


def test_a_models_grade_may_be_named_as_such(tmp_path: Path, imported) -> None:
    text = "prompt,a_quality,a_cost,b|score,b|total_cost,C d Correct,C d cost,c_score\nx,0,0.5,1,0.25,true,2,0.75\n"
    tally, tables = imported("wide-csv", sheet(tmp_path, text))
    assert cells(tables) == {("x", "a"): 0, ("x", "b"): 1, ("x", "C d"): 1, ("x", "c"): 0.75}
    assert beside(tables, "cost_usd") == {"C d": [2], "a": [0.5], "b": [0.25], "c": [None]}
    assert not tally.remarks


def test_a_column_of_the_models_own_goes_before_others_of_it(tmp_path: Path, imported) -> None:
    tally, tables = imported("wide-csv", sheet(tmp_path, "prompt,a,a_score,b_grade,b_quality\nx,0,1,0.5,1\n"))
    assert cells(tables) == {("x", "a"): 0, ("x", "b"): 1}
    assert set(tally.remarks) == {
        f"column '{name}' passed over: another one grades the model" for name in ("a_score", "b_grade")
    }
    _, tables = imported("wide-csv", sheet(tmp_path, "prompt,a,a_style,b_style\nx,0,1,0.5\n"), metric="style")
    assert cells(tables) == {("x", "a"): 1, ("x", "b"): 0.5}


@pytest.mark.parametrize("text", ["prompt,a,b\nx,1,0\n", "prompt,model,score\nx,a,1\n"])
def test_a_metric_that_is_not_there_is_not_replaced(tmp_path: Path, imported, text: str) -> None:
    with pytest.raises(TableError, match=r"sums\.csv: .*typo'"):
        imported("wide-csv", sheet(tmp_path, text), metric="typo")


@pytest.mark.parametrize(
    "name",
    [
        "b_latency",
        "b latency (s)",
        "b_ms",
        "b_seconds",
        "b_tokens",
        "b-cost",
        "cost",
        "Total tokens",
        "b_cost",
        "b|usd",
    ],
)
def test_costs_times_and_tokens_are_no_models(tmp_path: Path, imported, name: str) -> None:
    tally, tables = imported("wide-csv", sheet(tmp_path, f"prompt,a,c,{name}\nx,1,0,0.5\ny,0,1,1\n"))
    assert tables.candidates["model"].to_list() == ["a", "c"]
    assert tally.remarks == {f"column '{name}' passed over: costs, times and tokens are no grades": 2}


@pytest.mark.parametrize("name", ["a_latency_ms", "a|latency_ms", "a_latency_s", "a Latency seconds"])
def test_times_beside_a_model_are_read(tmp_path: Path, imported, name: str) -> None:
    took = 1500 if "ms" in name else 1.5
    tally, tables = imported("wide-csv", sheet(tmp_path, f"prompt,a,b,{name}\nx,1,0,{took}\n"))
    assert beside(tables, "latency_ms") == {"a": [1500], "b": [None]}
    assert not tally.remarks


@pytest.mark.parametrize("name", ["score", "Quality", "correct"])
def test_a_grade_without_a_model_is_none(tmp_path: Path, imported, name: str) -> None:
    tally, tables = imported("wide-csv", sheet(tmp_path, f"prompt,a,b,{name}\nx,1,0,0.5\ny,0,1,0.5\n"))
    assert tables.candidates["model"].to_list() == ["a", "b"]
    assert tally.remarks == {f"column '{name.lower()}' passed over: it names no model": 2}
    with pytest.raises(TableError, match=rf"one column per model; found \['prompt', '{name.lower()}'\]$"):
        imported("wide-csv", sheet(tmp_path, f"prompt,{name}\nx,1\ny,0\n"))


@pytest.mark.parametrize("name", ["average", "Mean", "TOTAL", "oracle", "max", "best", "average_score"])
def test_what_sums_up_models_is_none(tmp_path: Path, imported, name: str) -> None:
    tally, tables = imported("wide-csv", sheet(tmp_path, f"prompt,a,average-7b,{name}\nx,1,0,0.5\ny,0,1,0.5\n"))
    assert tables.candidates["model"].to_list() == ["a", "average-7b"]
    assert tally.remarks == {f"column '{name}' passed over: it sums up others": 2}


def test_rows_at_the_end_that_sum_up_are_no_prompts(tmp_path: Path, imported) -> None:
    tally, tables = imported("wide-csv", sheet(tmp_path, f"prompt,a,b\nTotal,1,0\n{EIGHT}Average:,50%,1\nTOTAL,4,4\n"))
    assert tables.prompts.height == 9
    assert tally.reasons == {"the row sums up others": 2}


@pytest.mark.parametrize(
    ("cell", "cost"),
    [
        ("$0.002", 0.002),
        ("0.002 USD", 0.002),
        ('"US$ 1,500.5"', 1500.5),
        ("n/a", None),
        ("free", None),
        ("0.002 €", None),
        ("-1", None),
    ],
)
def test_a_figure_that_cannot_be_read_is_unknown_and_the_grade_stays(tmp_path: Path, imported, cell: str, cost) -> None:
    for text in (
        f"prompt,model,score,cost\nx,a,1,{cell}\ny,a,0,0.5\n",
        f"prompt,a,b,a_cost\nx,1,1,{cell}\ny,0,1,0.5\n",
    ):
        tally, tables = imported("wide-csv", sheet(tmp_path, text))
        assert cells(tables)["x", "a"] == 1
        assert sorted(beside(tables, "cost_usd")["a"], key=str) == sorted([cost, 0.5], key=str)
        assert tally.remarks == ({} if cost or cell == "n/a" else {"cost_usd can't be read: unknown": 1})


def test_a_time_that_cannot_be_read_is_unknown(tmp_path: Path, imported) -> None:
    rows = ('x,a,1,"1,500.5",-7,2026-01-02 10:00', "y,b,0,20,7,01/02/2026")
    text = "\n".join(("prompt,model,correct,latency_ms,input_tokens,created_at", *rows))
    tally, tables = imported("wide-csv", sheet(tmp_path, text))
    assert beside(tables, "latency_ms") == {"a": [1500.5], "b": [20]}
    assert beside(tables, "input_tokens") == {"a": [None], "b": [7]}
    assert tables.prompts["created_at"].null_count() == 1
    assert tally.remarks == {"created_at can't be read: unknown": 1, "input_tokens can't be read: unknown": 1}


@pytest.mark.parametrize(
    ("text", "tokens", "cost"),
    [
        ("prompt;model;score;total_cost;prompt_tokens\nx;a;0,5;0,001;1.234\n", 1234, 0.001),
        ("prompt;model;score;total_cost;prompt_tokens\nx;a;1;1.234,5;1.234.567\n", 1_234_567, 1234.5),
        ("prompt;model;score;total_cost;prompt_tokens\nx;a;0,5;0.125;12\n", 12, 0.125),
        ("prompt;model;score;total_cost;prompt_tokens\nx;a;0.5;0.125;123.456\n", 123, 0.125),
        ('prompt,model,score,total_cost,prompt_tokens\nx,a,0.5,"1,234","1,234"\n', 1234, 1234),
        ("prompt;model;score;total_cost;prompt_tokens\nx;a;1;1,5E-05;7\n", 7, 1.5e-5),
        ('prompt,model,score,total_cost,prompt_tokens\nx,a,1,"0,125","1\u202f234"\n', 1234, 0.125),
    ],
)
def test_thousands_are_parted_by_what_is_not_the_files_decimal_mark(
    tmp_path: Path, imported, text, tokens, cost
) -> None:
    _, tables = imported("wide-csv", sheet(tmp_path, text))
    assert tables.outcomes.select("input_tokens", "cost_usd").row(0) == (tokens, cost)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title,a\nx,1\n", r"needs a column 'prompt' and one column per model; found \['title', 'a'\]"),
        ("", "needs a column 'prompt'"),
        ("prompt\nx\n", "one column per model"),
        ("prompt,why\nx,because of that\n", r"the cells of \['why'\] are no grades"),
        ("prompt,a,a\nx,1,0\n", r"column\(s\) \['a'\] stand there twice"),
        (
            "prompt,a\nx,2\ny,9\nz,8\nw,7\n",
            r"no row can be used as wide-csv(.|\n)*4  the grade is outside(.|\n)*between 2 and 9: .*--scale 1:10",
        ),
    ],
)
def test_bad_files_are_named(tmp_path: Path, imported, text: str, message: str) -> None:
    with pytest.raises(TableError, match=message):
        imported("wide-csv", sheet(tmp_path, text))


def test_bytes_that_are_not_utf8(tmp_path: Path, imported) -> None:
    with pytest.raises(TableError, match="can't be read"):
        imported("wide-csv", sheet(tmp_path, "prompt,a\n\u00e9t\u00e9,1\n", encoding="latin-1"))


def test_routerbench_has_labels_costs_and_prompts_as_lists(tmp_path: Path, imported) -> None:
    text = (
        "sample_id,prompt,eval_name,a,b,a|model_response,a|total_cost,b|total_cost,oracle_model_to_route_to\n"
        "s.1,\"['What is 2 + 2?']\",sums,1.0,0.25,\"['4']\",0.001,0.0001,a\n"
        "s.2,\"['Why?', 'Say']\",talk,0.0,1.0,\"['so']\",0.002,0.0001,b\n"
    )
    _, tables = imported("routerbench", sheet(tmp_path, text))
    assert tables.prompts.select("prompt_id", "prompt", "benchmark").rows() == [
        ("s.1", "What is 2 + 2?", "sums"),
        ("s.2", "Why?\nSay", "talk"),
    ]
    assert tables.outcomes["cost_usd"].to_list() == [0.001, 0.0001, 0.002, 0.0001]
