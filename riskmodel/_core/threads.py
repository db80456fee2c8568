"""Threads of BLAS: one is faster than several where products are small, and on a busy machine."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")

_LOCK = threading.Lock()
# what each library had before the first of the threads that are inside entered
_before: list[int] = []
_inside: set[int] = set()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS compute on the calling thread alone; also a decorator.

    Several BLAS threads wait for each other after every product. Where products are small or bound by memory, the
    waiting costs more than a second thread gives, and many times more while other programs use the processors.

    Blocks nest. OpenBLAS has one setting for the process, so other threads are limited too while the block is open:
    Python threads may each take some of the tiles. `threadpoolctl` lets one thread at a time change that setting; a
    block that another thread opens meanwhile computes the same, perhaps without the limit.

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


def worthwhile_threads() -> int:
    """How many Python threads may share work: as many as BLAS had before `one_blas_thread`.

    One where the machine is busy, as a second thread that waits for a processor delays the first. One where another
    thread holds BLAS to one: whoever runs it shares the processors already.
    """
    with _LOCK:
        if _busy() or _inside - {threading.get_ident()}:
            return 1
        return max(_before if _inside else [library.num_threads for library in _libraries()], default=1)


def _busy() -> bool:
    """Whether more has been running in the last minute than there are processors, be it all ours."""
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > (os.cpu_count() or 1) + 0.5


def for_each(call: Callable[[T], None], items: Sequence[T], threads: int) -> None:
    """Call a function with every item, in several Python threads, of which the calling one is the first.

    A thread that the system does not run in the meantime is not waited for: on a busy machine the caller then does
    all the work itself. What `call` computes must not depend on the order of the items.
    """
    left = list(items)[::-1]
    helpers = [_pool().submit(_until_empty, call, left) for _ in range(threads - 1)]
    try:
        _until_empty(call, left)
    finally:
        left.clear()
        for helper in helpers:
            if not helper.cancel():
                helper.result()


@one_blas_thread()
def _until_empty(call: Callable[[T], None], left: list[T]) -> None:
    """Take items that several threads share; one that other programs interrupt takes fewer."""
    while left:
        try:
            item = left.pop()
        except IndexError:  # another thread took it
            return
        call(item)


@cache
def _pool() -> ThreadPoolExecutor:
    """Threads that stay: on a busy machine, starting one means waiting until the system runs it."""
    return ThreadPoolExecutor(thread_name_prefix="riskmodel")


if hasattr(os, "register_at_fork"):
    # a forked process has no thread but the one that forked
    os.register_at_fork(after_in_child=_pool.cache_clear)


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
