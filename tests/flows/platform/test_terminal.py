"""What a person at the terminal reads of the log."""

import io
import logging

import pytest

from flows.platform.terminal import TerminalHandler


@pytest.fixture
def shown():
    def show(name, level, message, *arguments):
        stream = io.StringIO()
        handler = TerminalHandler(stream=stream)
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
        handler.emit(logging.LogRecord(name, level, "", 0, message, arguments, None))
        return stream.getvalue()

    return show


def test_a_warning_of_ours_is_a_note(shown):
    assert shown("components.tables.store", logging.WARNING, "%s is left alone", "x") == "note: x is left alone\n"
    assert shown("prefect.flow_runs", logging.WARNING, "the webhook could not be called") == (
        "note: the webhook could not be called\n"
    )


def test_a_warning_of_a_library_says_whose_it_is(shown):
    assert "prefect.events" in (said := shown("prefect.events", logging.WARNING, "no connection"))
    assert "no connection" in said


def test_what_the_bar_and_the_last_line_say_is_not_said_twice(shown):
    assert shown("components.tables.store", logging.INFO, "read") == ""
    assert shown("prefect.flow_runs", logging.ERROR, "it failed") == ""
