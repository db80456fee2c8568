"""Write a reference page for each group of public names, from riskmodel/__init__.pyi, where each stands once."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError


class Group(NamedTuple):
    """A page of the reference, and the modules whose public names it lists."""

    page: str
    title: str
    text: str
    modules: tuple[str, ...]


GROUPS = (
    Group("data", "Data", "Providers, and readers of files.", ("data", "panel.layout")),
    Group(
        "panels",
        "Panels and factors",
        "Aligned returns, in memory or on disk, and the factors beside them.",
        ("panel",),
    ),
    Group(
        "estimators",
        "Estimators",
        "What turns a panel into a model, or into a model for each date.",
        ("estimation",),
    ),
    Group(
        "parts",
        "Parts of a risk model",
        "Loadings, factor covariances and idio variances, which `riskmodel.Assembled` puts together.",
        ("estimation.loadings", "estimation.factor_covariance", "estimation.idio_variance", "estimation.level"),
    ),
    Group(
        "regressions",
        "Regressions by asset",
        "Regressions other than least squares, for `riskmodel.TimeSeries`.",
        ("estimation.asset_regressions",),
    ),
    Group(
        "cross-section",
        "Cross-sectional models",
        "Styles, groups, weights and universes of `riskmodel.CrossSectional`.",
        ("estimation.cross_section",),
    ),
    Group("models", "Models", "Inert values: what an estimator returns.", ("model",)),
    Group("portfolios", "Portfolios", "Strategies, hedges, limits and positions.", ("portfolio",)),
    Group("inference", "How sure", "Standard errors, intervals and tests.", ("inference",)),
    Group("analysis", "Analysis", "Where risk and return come from; scenarios and tails.", ("analysis",)),
    Group("evaluation", "Evaluation", "Which model forecasts best, out of sample.", ("evaluation",)),
    Group("report", "Reports", "All figures of a portfolio or of a study, on a page.", ("report",)),
    Group("quantities", "Quantities and horizons", "Numbers that know their time span.", ("quantities", "horizon")),
    Group("errors", "Errors and warnings", "Each says what it got, in `details`.", ("errors",)),
)

# Modules whose names are not names of riskmodel, and those of this folder.
MODULES = ("report.figures", "panel.dask", "testing")
INTEROP = "interop"


def public_names(stub: Path) -> dict[str, list[str]]:
    """Return the public names of the stub by module."""
    imports = [node for node in ast.parse(stub.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)]
    names: dict[str, list[str]] = {}
    for node in imports:
        names.setdefault(node.module or "", []).extend(alias.asname or alias.name for alias in node.names)
    return names


def group_of(module: str) -> Group:
    """Return the group with the longest module that contains this one."""
    found = [
        (len(prefix), group) for group in GROUPS for prefix in group.modules if f"{module}.".startswith(f"{prefix}.")
    ]
    if not found:
        raise ExtensionError(f"expected a reference page for {module}, got none; add it to GROUPS in {__file__}.")
    return max(found)[1]


def page_text(group: Group, names: list[str]) -> str:
    """Write a page: title, a sentence, and a table of names that links to a page for each."""
    rows = "\n".join(f"   {name}" for name in sorted(names))
    return (
        f"{group.title}\n{'=' * len(group.title)}\n\n{group.text}\n\n"
        f".. currentmodule:: riskmodel\n\n.. autosummary::\n   :toctree: api\n\n{rows}\n"
    )


def modules_text(package: Path) -> str:
    """Write the page of modules: each with its classes and functions."""
    interop = sorted(f"{INTEROP}.{path.stem}" for path in (package / INTEROP).glob("[a-z]*.py"))
    parts = [
        f"riskmodel.{name}\n{'-' * (len(name) + 10)}\n\n.. automodule:: riskmodel.{name}\n   :members:\n"
        for name in (*interop, *MODULES)
    ]
    return "Other modules\n=============\n\nImported by their own names, for they need extras.\n\n" + "\n".join(parts)


def write_where_changed(page: Path, text: str) -> None:
    """Write a page; leave an equal one, for Sphinx reads again what was written."""
    if not page.exists() or page.read_text(encoding="utf-8") != text:
        page.write_text(text, encoding="utf-8")


def write_pages(app: Sphinx, config: Config) -> None:
    """Write the pages of the reference, and remove pages of former names."""
    folder, package = Path(app.srcdir) / "reference", Path(app.srcdir).parent / "riskmodel"
    names: dict[str, list[str]] = {group.page: [] for group in GROUPS}
    for module, found in public_names(package / "__init__.pyi").items():
        names[group_of(module).page] += found
    for group in GROUPS:
        write_where_changed(folder / f"{group.page}.rst", page_text(group, names[group.page]))
    write_where_changed(folder / "modules.rst", modules_text(package))
    present = {f"riskmodel.{name}.rst" for found in names.values() for name in found}
    for page in (folder / "api").glob("*.rst"):
        if page.name not in present:
            page.unlink()


def setup(app: Sphinx) -> dict[str, bool]:
    """Run before Sphinx looks for pages."""
    app.connect("config-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
