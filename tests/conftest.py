"""Settings that every test shares."""

import os

import pytest
import servers
from files import file  # noqa: F401 - a fixture
from hypothesis import HealthCheck, settings
from wrds_server import account, market, replica  # noqa: F401 - fixtures

# The same examples on every run: a red test is red for everybody. HYPOTHESIS_PROFILE=thorough looks at many more.
_COMMON = {"deadline": None, "derandomize": True, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("riskmodel", max_examples=50, **_COMMON)
settings.register_profile("quick", max_examples=5, **_COMMON)
settings.register_profile("thorough", max_examples=1000, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "riskmodel"))


def pytest_sessionfinish(session):
    """A process that ran some of the tests tells the one that started it which servers it used."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["servers"] = {"used": servers.used, "missing": servers.missing}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Gather what the processes tell."""
    told = getattr(node, "workeroutput", {}).get("servers", {})
    servers.used.update(told.get("used", {}))
    servers.missing.update(told.get("missing", {}))


def pytest_terminal_summary(terminalreporter):
    """Say which real servers were used."""
    servers.report(terminalreporter)
