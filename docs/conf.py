"""Sphinx builds the pages from here: ``make docs`` writes them to build/html."""

import hashlib
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
os.environ["MATPLOTLIBRC"] = str(HERE / "_static" / "matplotlibrc")  # for the processes that run the cells
sys.path.insert(0, str(HERE / "_ext"))

import riskmodel as rm

project = "riskmodel"
author = "The riskmodel developers"
copyright = author
release = version = rm.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "public_names",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",  # formulae without a network
]
exclude_patterns = ["_ext", "_templates", "images"]
templates_path = ["_templates"]
default_role = "py:obj"
suppress_warnings = ["mystnb.unknown_mime_type"]

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3


def fingerprint() -> str:
    """Return a hash of the library: where it changes, all cells run again."""
    files = sorted(path for path in Path(rm.__file__).parent.rglob("*") if path.suffix in {".py", ".gz"})
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


# Cells run again when their page or the library changes; an error, or a warning that a cell prints, fails the build.
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE.parent / "build" / "jupyter-cache" / fingerprint())
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True
nb_output_stderr = "error"

autosummary_generate = True
autodoc_typehints = "none"
autodoc_mock_imports = ["cvxportfolio", "cvxpy", "dask", "pypfopt", "riskfolio", "skfolio"]  # of other modules
# scikit-learn gives its estimators set_fit_request, with links to its own pages
autodoc_default_options = {"member-order": "bysource", "exclude-members": "set_fit_request"}
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# Other projects' inventories need a network: RISKMODEL_INTERSPHINX=1 make docs
intersphinx_mapping = (
    {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "pandas": ("https://pandas.pydata.org/docs", None),
        "scipy": ("https://docs.scipy.org/doc/scipy", None),
    }
    if os.environ.get("RISKMODEL_INTERSPHINX")
    else {}
)

toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_title = "riskmodel"
html_static_path = ["_static"]
html_css_files = ["riskmodel.css"]
html_show_sourcelink = False
html_sidebars = {"index": []}
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
