"""`WRDS` without its extra: a clear error, and nothing else in the package misses it."""

from __future__ import annotations

import sys

import pytest

import riskmodel as rm


@pytest.mark.parametrize("make", [rm.WRDS, rm.WRDS.legacy])
def test_without_the_client_it_says_what_to_install(monkeypatch, make):
    for name in [m for m in sys.modules if m == "wrds" or m.startswith("wrds.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "wrds", None)
    with pytest.raises(rm.MissingExtraError, match=r"'factor-riskmodel\[wrds\]'") as error:
        make()
    assert isinstance(error.value, ImportError)
