"""Leave modules of `riskmodel.interop` out of the doctests where their package is not installed."""

from importlib.util import find_spec
from pathlib import Path

INTEROP = Path(__file__).parent / "riskmodel" / "interop"
collect_ignore = [str(module) for module in INTEROP.glob("[!_]*.py") if find_spec(module.stem) is None]
