"""Public names stand once, in the stub, and are imported when they are first asked for."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import riskmodel as rm

STUB = Path(rm.__file__).with_suffix(".pyi")


def test_every_public_name_can_be_imported():
    named = set(re.findall(r"(\w+) as \1\b", STUB.read_text(encoding="utf-8")))
    assert named == set(rm.__all__)
    assert {"OLS", "Estimator", "PortfolioFactor", "FactorModel", "RiskReport"} <= named
    for name in rm.__all__:
        assert getattr(rm, name) is not None


def test_dir_shows_public_names_only():
    assert dir(rm) == sorted([*rm.__all__, "__version__"])
    with pytest.raises(AttributeError):
        _ = rm.import_module


def test_importing_the_package_imports_nothing_else():
    code = "import sys, riskmodel; sys.exit(any(m in sys.modules for m in ('numpy', 'pandas', 'scipy', 'plotly')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_public_classes_say_where_they_are():
    for name in rm.__all__:
        value = getattr(rm, name)
        if isinstance(value, type):
            assert value.__module__.startswith("riskmodel.")
            assert value.__doc__
