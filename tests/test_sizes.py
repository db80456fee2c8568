"""Tests that are meant to be exact reject about as often as they say; ``benchmarks/sizes.py`` is the whole study."""

import math

import numpy as np
import pytest

from benchmarks import sizes

REPETITIONS = 20


def test_sizes_of_a_few_draws():
    """At 5 % of 20 draws, five rejections or more have a probability of 0.3 %."""
    found = sizes.rejections("normal", 6, 126, REPETITIONS)
    assert found.drop("J, Newey-West").max() <= 4 / REPETITIONS
    assert found["J, Newey-West"] > 0.05


def test_the_exact_test_does_not_apply_to_ragged_assets():
    found = sizes.rejections("t(4), ragged", 6, 126, 2)
    assert math.isnan(found["GRS"])
    assert found.drop("GRS").notna().all()


@pytest.mark.parametrize("design", list(sizes.DESIGNS))
def test_the_draws_have_the_assets_asked_for(design):
    returns, factors, truth = sizes.DESIGNS[design](4)(np.random.default_rng(0), 130)
    assert returns.shape == (130, 4)
    assert len(factors) == 130
    assert truth.alpha.shape == (4,)
