import threading
from concurrent.futures import wait

import pytest

from pointsman.serving.batching import Batcher


def test_what_waits_is_worked_on_together_and_answered_apart():
    begun, go, batches = threading.Event(), threading.Event(), []

    def work(jobs):
        begun.set()
        go.wait(10)
        batches.append(list(jobs))
        return [sum(job) for job in jobs]

    batcher = Batcher(work, len, workers=1, gather=4)
    first = batcher.submit([1])
    begun.wait(10)
    rest = [batcher.submit(job) for job in ([1, 2], [3], [4, 5, 6], [7])]
    go.set()
    wait([first, *rest], timeout=10)
    assert [future.result() for future in (first, *rest)] == [1, 3, 3, 15, 7]
    # the first alone; then until the size reaches 4; then what is left
    assert batches == [[[1]], [[1, 2], [3], [4, 5, 6]], [[7]]]


def test_an_error_reaches_whoever_waits_and_the_worker_goes_on():
    def work(jobs):
        if "bad" in jobs:
            raise KeyError("bad")
        return [ValueError("no") if job == "refused" else job.upper() for job in jobs]

    batcher = Batcher(work, len, workers=1, gather=1)
    with pytest.raises(KeyError):
        batcher.submit("bad").result(10)
    with pytest.raises(ValueError, match="no"):
        batcher.submit("refused").result(10)
    assert batcher.submit("good").result(10) == "GOOD"


def test_who_gave_up_is_not_worked_for():
    begun, go, done = threading.Event(), threading.Event(), []

    def work(jobs):
        begun.set()
        go.wait(10)
        done.extend(jobs)
        return jobs

    batcher = Batcher(work, len, workers=1, gather=1)
    first = batcher.submit("a")
    begun.wait(10)
    given_up, last = batcher.submit("b"), batcher.submit("c")
    assert given_up.cancel()
    go.set()
    assert (first.result(10), last.result(10)) == ("a", "c")
    assert done == ["a", "c"]


def test_workers_work_side_by_side():
    both = threading.Barrier(2, timeout=10)

    def work(jobs):
        both.wait()
        return jobs

    batcher = Batcher(work, len, workers=2, gather=1)
    assert [future.result(10) for future in (batcher.submit("a"), batcher.submit("b"))] == ["a", "b"]
