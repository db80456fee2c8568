"""Settings that every test shares."""

import servers
from hypothesis import HealthCheck, settings
from wrds_server import account, market, replica  # noqa: F401 - fixtures

# The same examples on every run: a red test is red for everybody.
settings.register_profile("riskmodel", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("riskmodel")


def pytest_terminal_summary(terminalreporter):
    """Say which real servers were used."""
    servers.report(terminalreporter)
