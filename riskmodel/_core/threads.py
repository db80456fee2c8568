"""Threads of BLAS: one is faster than several where products are small, and on a busy machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_LOCK = threading.Lock()
# what each library had before the first of the threads that are inside entered
_before: list[int] = []
_inside: set[int] = set()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS compute on the calling thread alone; also a decorator.

    Several BLAS threads wait for each other after every product. Where products are small or bound by memory, the
    waiting costs more than a second thread gives, and many times more while other programs use the processors.

    Blocks nest. OpenBLAS has one setting for the process, so other threads are limited too while the block is open.
    `threadpoolctl` lets one thread at a time change that setting; a block that another thread opens meanwhile computes
    the same, perhaps without the limit.

    Examples
    --------
    >>> import numpy as np
    >>> from riskmodel._core.threads import one_blas_thread
    >>> tiles = np.ones((10, 1_000, 4))
    >>> with one_blas_thread():
    ...     total = sum(x.T @ x for x in tiles)
    """
    if threading.get_ident() in _inside:
        yield
        return
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    with _LOCK:
        # inside of a block of another thread the setting is that block's
        if not _inside:
            _before[:] = [library.num_threads for library in _libraries()]
        _inside.add(threading.get_ident())
        _limit([1] * len(_before))


def _leave() -> None:
    with _LOCK:
        _inside.discard(threading.get_ident())
        # at once, as the last to leave may be a thread that cannot change it
        _limit(_before)


def _limit(threads: list[int]) -> None:
    for library, n in zip(_libraries(), threads, strict=True):
        library.set_num_threads(n)


@cache
def _libraries() -> tuple[Any, ...]:
    """The BLAS libraries of numpy and scipy: finding them takes milliseconds, setting one a microsecond."""
    import scipy.linalg  # noqa: F401, PLC0415 - scipy brings a BLAS of its own, which must be loaded to be found
    from threadpoolctl import ThreadpoolController  # noqa: PLC0415

    return tuple(ThreadpoolController().select(user_api="blas").lib_controllers)
