"""Factors and the risk-free rate from the French library, fetched or from a folder, beside a file of assets."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Self, final

from attrs import frozen

from riskmodel.data.french import catalogue
from riskmodel.data.french.provider import FamaFrench
from riskmodel.errors import InvalidParameterError, UnknownFactorError
from riskmodel.horizon import Horizon

# What the library gives, and a file of factors would give otherwise.
_INSTEAD_OF = (
    "--factor-returns", "--factor-unit", "--factor-columns", "--factor-dates", "--factor-table", "--risk-free",
    "--funded",
)  # fmt: skip
# Without --factors: the three of one model, as sets differ in what they call SMB.
_THREE = ("Mkt-RF", "SMB", "HML")


@final
@frozen
class FrenchFactors:
    """The option ``--french``.

    Attributes
    ----------
    folder : str
        Where files of the library are; empty where they are fetched.
    """

    folder: str

    def __str__(self) -> str:
        return f"the French library in {self.folder}" if self.folder else "the French library"

    @classmethod
    def given(cls, args: argparse.Namespace) -> Self | None:
        """Return the option, or None; raise beside options about a file of factors."""
        if args.french is None:
            return None
        both = [o for o in _INSTEAD_OF if getattr(args, o.removeprefix("--").replace("-", "_")) is not None]
        if both:
            raise InvalidParameterError(
                f"expected factors of the French library or of a file, got --french and {both[0]}; give one of them."
            )
        if args.french and not Path(args.french).expanduser().is_dir():
            raise InvalidParameterError(
                f"expected --french alone, to fetch the library, or with a folder of its files, got {args.french!r}; "
                "write assets before --french, or -- in between."
            )
        return cls(args.french)

    def provider(self, horizon: Horizon) -> FamaFrench:
        """Return the library's provider."""
        return FamaFrench(horizon, folder=self.folder or None)

    def require(self, wanted: Sequence[str], there: Sequence[str], horizon: Horizon) -> None:
        """Raise for factors of the library whose file the folder lacks.

        Raises
        ------
        UnknownFactorError
            With the names of the files.
        """
        missing = [name for name in wanted if name not in there]
        sets = [catalogue.SETS[name] for name in catalogue.US_FACTORS]
        files = {f: next((s.files[horizon] for s in sets if f in s.series and horizon in s.files), "") for f in missing}
        if self.folder and any(files.values()):
            lacking = ", ".join(dict.fromkeys(f"{file}_CSV.zip" for file in files.values() if file))
            raise UnknownFactorError(
                f"expected files of the French library with {', '.join(missing)} in {self.folder}, got some with "
                f"{', '.join(there)}; save {lacking} there under the library's own name, packed or unpacked.",
                missing=missing,
            )

    @staticmethod
    def chosen(there: list[str]) -> list[str]:
        """Return the factors of a model for which none are named: the three, or all where some of them are missing."""
        return list(_THREE) if set(_THREE) <= set(there) else there
