"""Where the tables of a risk model are."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self, final

from attrs import evolve, field, fields, frozen

from riskmodel._core.listing import Listed
from riskmodel._core.paths import AnyPath, read_path
from riskmodel.errors import InvalidParameterError


def _read(path: Any) -> Path:
    return read_path(path, "path")


def _read_optional(path: Any) -> Path | None:
    return None if path is None else _read(path)


@final
@frozen
class ModelPaths(Listed):
    """The files of a risk model as delimited text.

    Parameters
    ----------
    exposures : path
        ``asset|factor|exposure``, one row each, or one row for each asset and one column for each factor.
    factor_covariance : path
        ``factor|other_factor|covariance``, both triangles or one, or one row and one column for each factor.
    specific_risk : path
        ``asset|specific_risk``.
    assets : path, optional
        ``asset`` and any of ``total_risk``, ``alpha``, ``prior``.
    factors : path, optional
        ``factor`` and any of ``mean``, ``funded``, ``stated``, ``tradable``, ``told_by``, ``definition``.
    links : path, optional
        ``asset|link|loading``: see `FactorModel.links`.

    Examples
    --------
    >>> import riskmodel as rm
    >>> panel = rm.SampleData().panel(["MSFT", "JPM"], ["Mkt-RF"])
    >>> model = rm.OLS().fit(panel)
    >>> held = rm.Strategy({"MSFT": 0.6, "JPM": 0.4}, model)
    >>> from tempfile import TemporaryDirectory
    >>> units = rm.FileUnits(rm.RiskUnit.PERCENT, rm.YEAR, rm.RiskForm.VOLATILITY)
    >>> with TemporaryDirectory() as folder:
    ...     written = rm.write_model_text(model.at(rm.YEAR), folder, units)
    ...     paths = rm.ModelPaths(written.exposures, written.factor_covariance, written.specific_risk)
    ...     again = rm.read_model_text(paths, units)
    >>> bool((again.idio_variance / model.at(rm.YEAR).idio_variance - 1.0).abs().max() < 1e-12), again.alpha.tolist()
    (True, [0.0, 0.0])
    """

    exposures: Path = field(converter=_read)
    factor_covariance: Path = field(converter=_read)
    specific_risk: Path = field(converter=_read)
    assets: Path | None = field(default=None, converter=_read_optional)
    factors: Path | None = field(default=None, converter=_read_optional)
    links: Path | None = field(default=None, converter=_read_optional)

    @classmethod
    def in_folder(cls, folder: AnyPath, ending: str = ".csv") -> Self:
        """Return the files of a folder by the names that `write_model_text` gives: ``exposures.csv`` and so on.

        Optional files that are not there are None.

        Parameters
        ----------
        folder : path
            The folder.
        ending : str
            Of the names of files, such as ``".csv"`` or ``".txt"``.
        """
        every = cls._named(read_path(folder, "folder"), ending)
        there = {f.name: getattr(every, f.name) for f in fields(cls) if f.default is None}
        return evolve(every, **{name: path if path.exists() else None for name, path in there.items()})

    @classmethod
    def _named(cls, folder: Path, ending: str) -> Self:
        """All files, whether there or not."""
        if not isinstance(ending, str) or not ending.startswith(".") or {"/", "\0"} & set(ending):
            raise InvalidParameterError(
                f"expected ending such as '.csv', got {ending!r}.", parameter="ending", got=ending
            )
        return cls(**{f.name: folder / f"{f.name}{ending}" for f in fields(cls)})
