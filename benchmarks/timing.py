"""Ratios of times that survive a busy machine, and peak memory of a process of its own."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from attrs import frozen
from threadpoolctl import threadpool_info

Work = Callable[[], object]


@frozen
class Figure:
    """One row of the table: a ratio, and the target that it is held against."""

    work: str
    against: str
    target: float | None  # none where the peer gives fewer figures
    ratio: float
    unit: str = "× faster"

    @property
    def met(self):
        if self.target is None:
            return None
        return self.ratio >= self.target if self.faster else self.ratio <= self.target

    @property
    def faster(self):
        return self.unit == "× faster"

    @property
    def wanted(self):
        if self.target is None:
            return f"- {self.unit}"
        return f"{'≥' if self.faster else '≤'} {self.target:g} {self.unit}"


def best(*works: Work, rounds: int = 5) -> list[float]:
    """The least time of each work, in seconds, taken in turns so that a busy spell strikes all alike.

    With one thread for BLAS it is the processor's time, which other programs do not lengthen.
    """
    clock = time.process_time if threads() == 1 else time.perf_counter
    least = [float("inf")] * len(works)
    for _ in range(rounds):
        for i, work in enumerate(works):
            start = clock()
            work()
            least[i] = min(least[i], clock() - start)
    return least


def threads() -> int:
    """The threads that BLAS may use."""
    return max((pool["num_threads"] for pool in threadpool_info()), default=1)


def peak() -> int:
    """The most memory that this process has held, in bytes."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:  # elsewhere than on Linux; there, it would count what the parent held when it forked
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1_024)
    return next(int(line.split()[1]) * 1_024 for line in status.splitlines() if line.startswith("VmHWM"))


def in_own_process(code: str, **environment: str) -> list[float]:
    """The numbers that a fresh interpreter prints, whose BLAS has as many threads as this one's."""
    own = os.environ | {"OPENBLAS_NUM_THREADS": str(threads())} | environment
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=own)
    return [float(x) for x in done.stdout.split()]
