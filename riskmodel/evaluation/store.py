"""The folder of a study: one file for each date, so that a study that stopped goes on where it stopped."""

from __future__ import annotations

import hashlib
import warnings
import zipfile
from pathlib import Path
from typing import Any, Self, final

import attrs
import numpy as np
import pandas as pd
from attrs import frozen

from riskmodel._core.atomic import replacing
from riskmodel._core.paths import AnyPath, read_path
from riskmodel.errors import DamagedEntryWarning, InvalidParameterError
from riskmodel.evaluation.outcome import DateOutcome
from riskmodel.panel.memory import ReturnPanel

_DAMAGED = (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile)


@final
@frozen
class StudyFolder:
    """Where the dates of one study are kept.

    Attributes
    ----------
    path : Path
        The folder.
    identity : str
        A digest of the study's panel and settings; files of another are refused.
    """

    path: Path
    identity: str

    @classmethod
    def at(cls, path: AnyPath, identity: str) -> Self:
        """Make the folder where there is none."""
        folder = read_path(path, "folder")
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder, identity)

    def read(self, stop: int) -> DateOutcome | None:
        """The outcome of a date, or None where it is not there yet.

        Raises
        ------
        InvalidParameterError
            If the file is one of another study.

        Warns
        -----
        DamagedEntryWarning
            For a file that cannot be read; the date is then computed again.
        """
        path = self._file(stop)
        if not path.exists():
            return None
        try:
            identity, outcome = DateOutcome.load(path.read_bytes())
        except _DAMAGED as error:
            warnings.warn(
                DamagedEntryWarning(f"{path} is damaged ({error}); its date is computed again.", path=str(path)),
                stacklevel=4,
            )
            return None
        if identity != self.identity:
            raise InvalidParameterError(
                f"expected {self.path} to be empty or to hold dates of this study, got those of a study with another "
                "panel or other settings; give another folder, or remove this one.",
                folder=str(self.path),
            )
        return outcome

    def write(self, outcome: DateOutcome) -> None:
        """Write the outcome of a date, whole or not at all."""
        with replacing(self._file(outcome.stop)) as file:
            outcome.save(file, self.identity)

    def _file(self, stop: int) -> Path:
        return self.path / f"{stop:08d}.npz"


def identity_of(panel: ReturnPanel, settings: Any) -> str:
    """A digest of a panel and of settings; equal in every process."""
    digest = hashlib.sha256()
    for part in (panel.dates.to_numpy(), *panel.arrays()):
        digest.update(np.ascontiguousarray(part).tobytes())
    digest.update(repr((list(map(repr, panel.assets)), panel.definitions, panel.horizon)).encode())
    digest.update(_described(settings).encode(errors="surrogateescape"))
    return digest.hexdigest()


def _described(value: Any) -> str:
    """Text that tells settings from others: tables by all of their numbers."""
    if isinstance(value, pd.Series | pd.DataFrame):
        content = pd.util.hash_pandas_object(value.map(str), index=True).to_numpy()
        return hashlib.sha256(content.tobytes() + repr(getattr(value, "columns", "")).encode()).hexdigest()
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_described, value))})"
    if attrs.has(type(value)):
        parts = (f"{f.name}={_described(getattr(value, f.name))}" for f in attrs.fields(type(value)))
        return f"{type(value).__qualname__}({', '.join(parts)})"
    return repr(value)
