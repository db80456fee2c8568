"""Run the Python of a page of the documentation."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

import riskmodel as rm

ROOT = Path(__file__).parents[1]


def blocks(page):
    """The Python of a page that is no doctest, which pytest runs by itself."""
    found = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    return [block for block in found if ">>>" not in block]


def run_page(page):
    """Execute all blocks of a page, one after the other; return the names that they define."""
    space = {"rm": rm, "np": np, "pd": pd, "__name__": "page"}
    for block in blocks(page):
        exec(compile(block, page, "exec"), space)
    return space
