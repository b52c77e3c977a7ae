import pytest

from components.reports.ending import ending_line

LINKS = {"MLflow": "http://127.0.0.1:5000/#/run", "report": "/data/report.html", "Prefect": ""}


def test_a_promotion_says_how_good_and_where_to_look():
    line = ending_line(
        "retrain",
        "promoted",
        router_id="0123456789abcdef" * 4,
        quality=[0.8243, 0.769, 0.871],
        best_single=[0.695, 0.63, 0.752],
        links=LINKS,
    )
    assert line == (
        "retrain promoted: router 0123456789ab; quality 0.824 [0.769, 0.871] against 0.695 of the best single candidate"
        " | MLflow http://127.0.0.1:5000/#/run | report /data/report.html"
    )


def test_a_refusal_says_why_and_that_nothing_changed():
    reasons = [f"criterion {n}: 0.1, threshold 0.2" for n in range(5)]
    line = ending_line("retrain", "refused", router_id="ab" * 32, reasons=reasons)
    assert line.startswith("retrain refused, the router in service stays: router abababababab; criterion 0")
    assert line.endswith("criterion 2: 0.1, threshold 0.2; and 2 more reasons")


@pytest.mark.parametrize("outcome", ["failed", "crashed", "cancelled"])
def test_a_failure_is_one_line_however_long_its_message(outcome):
    line = ending_line("retrain", outcome, reasons=["Traceback:\n" + "deep\r\n\t" * 500])
    assert line.startswith(f"retrain {outcome}: Traceback: deep deep")
    assert len(line.splitlines()) == 1
    assert len(line) < 240
    assert line.endswith("…")


def test_nothing_known_is_still_a_line():
    assert ending_line("retrain", "crashed") == "retrain crashed"
