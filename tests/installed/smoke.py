"""Use an installed package: it is not the repository, all public names import, a model is fitted, saved and loaded."""

import importlib.metadata
import importlib.resources
import sys
import tempfile
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2]


def main(version: str) -> None:
    import riskmodel as rm

    place = Path(rm.__file__).resolve()
    assert place.is_relative_to(Path(sys.prefix).resolve()), place
    assert place.parent != SOURCES / "riskmodel", place

    distribution = importlib.metadata.distribution("factor-riskmodel")
    assert distribution.version == rm.__version__ == version, (distribution.version, rm.__version__)
    names = {str(f) for f in distribution.files or ()}
    for part in ("licenses/LICENSE", "licenses/riskmodel/data/_sample/LICENSES.md"):
        assert any(name.endswith(part) for name in names), part
    for part in ("py.typed", "__init__.pyi", "data/_sample/LICENSES.md", "data/_sample/closes.csv.gz"):
        assert importlib.resources.files("riskmodel").joinpath(part).is_file(), part
    assert not any(name.startswith(("tests/", "docs/", "benchmarks/")) for name in names)

    for name in rm.__all__:
        getattr(rm, name)

    model = rm.OLS().fit(rm.SampleData().panel(["KO", "XOM"], ["Mkt-RF"]))
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "us.model")
        again = rm.FactorModel.load(Path(folder) / "us.model")
    assert again.loadings.equals(model.loadings)
    assert rm.__version__ in str(again.lineage)


if __name__ == "__main__":
    main(sys.argv[1])
