"""Settings that every test shares."""

from hypothesis import HealthCheck, settings

# The same examples on every run: a red test is red for everybody.
settings.register_profile("riskmodel", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("riskmodel")
