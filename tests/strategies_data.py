"""Hypothesis strategies for frames of returns as callers have them."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

DAYS = pd.bdate_range("2020-01-01", periods=60)


@st.composite
def ragged(draw, columns, rows=12, high=0.05):
    """A frame on some of the days, in any order, with holes."""
    where = draw(st.lists(st.integers(0, rows - 1), min_size=3 * rows // 4, unique=True))
    shape = (len(where), len(columns))
    numbers = draw(hnp.arrays(np.float64, shape, elements=st.floats(-high, high)))
    holes = draw(hnp.arrays(np.bool_, shape))
    return pd.DataFrame(np.where(holes, np.nan, numbers), DAYS[where], list(columns))
