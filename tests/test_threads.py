"""The limit on BLAS threads: nested, shared by threads, and gone afterwards."""

from threading import Barrier, Thread

import numpy as np
import pytest
import scipy.linalg  # noqa: F401 - its BLAS is one of those that are limited
from threadpoolctl import ThreadpoolController, threadpool_limits

from riskmodel._core.threads import one_blas_thread


def threads():
    return [library.num_threads for library in ThreadpoolController().select(user_api="blas").lib_controllers]


@pytest.fixture(autouse=True)
def _two_threads():
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
