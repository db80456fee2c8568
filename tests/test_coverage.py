"""Intervals cover about as often as they say; ``benchmarks/coverage.py`` is the whole study."""

import sys
from pathlib import Path

import numpy as np
import pytest

import riskmodel as rm

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import coverage

REPETITIONS = 60
NAMED = {design.name: design for design in coverage.DESIGNS}


@pytest.mark.parametrize("name", ["normal", "garch", "t(4), weights decay, 20 ragged"])
def test_intervals_cover(name):
    covered, _ = coverage.cell(NAMED[name], 252, REPETITIONS, rm.Cosine())
    # three Monte Carlo errors below 93 %
    assert covered.mean().min() > 0.93 - 3 * np.sqrt(0.93 * 0.07 / REPETITIONS)


def test_classical_intervals_of_beta_do_not_where_residuals_move_with_the_factor():
    covered, _ = coverage.cell(NAMED["garch"], 1260, REPETITIONS, rm.Classical())
    assert covered["exposure F0"].mean() < 0.90
