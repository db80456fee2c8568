"""`WRDS`, alone, joined and kept, passes the contract of every provider, on a real PostgreSQL."""

from __future__ import annotations

import importlib.util
from typing import ClassVar

import pytest
import servers

import riskmodel as rm
from riskmodel.testing import ProviderContract

if importlib.util.find_spec("wrds") is None:
    servers.missing["WRDS"] = servers.WHY_NOT_WRDS
    pytest.skip(servers.missing["WRDS"], allow_module_level=True)


@pytest.mark.parametrize(
    "make",
    [
        rm.WRDS,
        lambda: rm.WRDS(rm.MONTH),
        rm.WRDS.legacy,
        lambda: rm.WRDS.legacy(rm.MONTH),
        lambda: rm.WRDS(as_of="2023-01-03"),
    ],
    ids=["days", "months", "legacy days", "legacy months", "as of a day"],
    scope="class",
)
class TestWRDS(ProviderContract):
    assets: ClassVar = ["MSFT", "META", "MISS"]
    factors: ClassVar = ["Mkt-RF", "SMB", "CMA"]

    @pytest.fixture(autouse=True)
    def _made(self, account, make):
        self._data = make()
        yield
        self._data.close()

    def provider(self):
        return self._data
