"""A process that writes one cache entry over and over; tests run several of it, and kill it.

python cache_writer.py FOLDER ROUNDS [POINT]: entries are all ones and all twos in turn. With a POINT the process kills
itself, as kill -9 does, at that point of the second write.
"""

import datetime as dt
import os
import signal
import sys

import numpy as np
import pandas as pd

import riskmodel as rm

DAYS = pd.bdate_range("1950-01-02", periods=19_000)
START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


class Turns(rm.DataProvider):
    """Each answer is one number throughout: 0.01 and 0.02 in turn."""

    horizon = rm.DAY

    def __init__(self, rounds=0):
        self.round = rounds

    def asset_returns(self, assets, start=None, end=None):
        self.round += 1
        value = 0.01 if self.round % 2 else 0.02
        return pd.DataFrame(value, DAYS, assets).loc[start:end]

    def factor_returns(self, names, start=None, end=None):
        raise NotImplementedError

    def risk_free(self, start=None, end=None):
        raise NotImplementedError


def cached(folder, provider):
    """A cache that takes all it has for too old."""
    clock = iter(START + dt.timedelta(days=i) for i in range(10**6))
    return rm.Cached(provider, folder, name="turns", max_age=dt.timedelta(0), clock=lambda: next(clock))


def whole(frame):
    """Whether a frame is one answer, and not parts of two."""
    values = np.unique(frame["A"])
    return len(frame) == len(DAYS) and len(values) == 1 and float(values[0]) in (0.01, 0.02)


def die(*_args, **_kwargs):
    os.kill(os.getpid(), signal.SIGKILL)


def main(folder, rounds, point=""):
    data = cached(folder, Turns())
    for i in range(int(rounds)):
        if i == 1 and point == "written, not flushed":
            os.fsync = die
        if i == 1 and point == "flushed, not in place":
            os.replace = die
        if i == 1 and point == "in place":
            os.replace = lambda a, b, replace=os.replace: (replace(a, b), die())
        if not whole(data.asset_returns(["A"])):
            sys.exit("half an answer was served")
        print(i, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
