"""The limit on BLAS threads: nested, shared by threads, and gone afterwards."""

import os
from threading import Barrier, Thread

import numpy as np
import pytest
import scipy.linalg  # noqa: F401 - its BLAS is one of those that are limited
from threadpoolctl import ThreadpoolController, threadpool_limits

from riskmodel._core.threads import for_each, one_blas_thread, worthwhile_threads


def threads():
    return [library.num_threads for library in ThreadpoolController().select(user_api="blas").lib_controllers]


@pytest.fixture(autouse=True)
def _two_threads(monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0), raising=False)
    with threadpool_limits(limits=2, user_api="blas"):
        yield


def test_holds_inside_and_ends_with_the_outermost_block():
    before = threads()
    with one_blas_thread():
        with one_blas_thread():
            assert set(threads()) == {1}
        assert set(threads()) == {1}
    assert threads() == before


def test_ends_with_an_error():
    before = threads()
    with pytest.raises(np.linalg.LinAlgError), one_blas_thread():
        np.linalg.cholesky(-np.eye(2))
    assert threads() == before


@pytest.mark.parametrize("leaves_first", ["this", "other"])
def test_blocks_of_several_threads_that_overlap_leave_the_setting_as_it_was(leaves_first):
    before, entered, left = threads(), Barrier(2), Barrier(2)

    def other():
        with one_blas_thread():
            entered.wait()
            if leaves_first == "this":
                left.wait()
        if leaves_first == "other":
            left.wait()

    worker = Thread(target=other)
    worker.start()
    with one_blas_thread():
        entered.wait()
        if leaves_first == "other":
            left.wait()
    if leaves_first == "this":
        left.wait()
    worker.join()
    assert threads() == before


def test_decorates_a_function():
    assert one_blas_thread()(threads)() == [1] * len(threads())


def test_python_threads_take_the_place_of_those_of_blas():
    assert worthwhile_threads() == 2
    with one_blas_thread():
        assert worthwhile_threads() == 2
    with threadpool_limits(limits=1, user_api="blas"), one_blas_thread():
        assert worthwhile_threads() == 1


def test_work_that_runs_in_several_threads_is_not_divided_again():
    found = []
    with one_blas_thread():
        worker = Thread(target=lambda: found.append(worthwhile_threads()))
        worker.start()
        worker.join()
    assert found == [1]


def test_a_busy_machine_gives_one_thread(monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (os.cpu_count() + 1.0, 0.0, 0.0), raising=False)
    assert worthwhile_threads() == 1


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_every_item_is_taken_once(n_threads):
    taken = []
    for_each(taken.append, range(500), n_threads)
    assert sorted(taken) == list(range(500))


@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_error_in_any_thread_reaches_the_caller(n_threads):
    with pytest.raises(ZeroDivisionError):
        for_each(lambda i: 1 // (i - 7), range(20), n_threads)
