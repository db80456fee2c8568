"""Where the files of the French library are: on a server, or in a folder."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, final

from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.listing import Abstract
from riskmodel.data.french.archive import LARGEST, unpacked
from riskmodel.errors import InvalidParameterError, SourceError

# What a file is called behind its name, as it is published and as people save it.
_ENDINGS = ("_CSV.zip", ".zip", ".CSV", "_CSV.CSV", ".txt")


class Shelf(Abstract):
    """Files of the French library by name (abstract: `Folder`, `Server`)."""

    @abstractmethod
    def has(self, file: str) -> bool:
        """Whether a file may be there."""

    @abstractmethod
    def text(self, file: str) -> str:
        """Return the text of a file; raise `SourceError` where it cannot be had."""


@final
@frozen
class Folder(Shelf):
    """Files of the French library that were saved on this machine, packed or unpacked.

    Parameters
    ----------
    path : path
        The folder. Names of files are those of the library (``F-F_Research_Data_Factors_daily_CSV.zip``, ``….csv``);
        case is ignored.

    Raises
    ------
    InvalidParameterError
        If there is no such folder.
    """

    path: Path

    def __attrs_post_init__(self) -> None:
        if not self.path.is_dir():
            raise InvalidParameterError(
                f"expected folder as a folder of files of the French library, got {str(self.path)!r}, which is not "
                "one; save the files there.",
                folder=str(self.path),
            )

    def __str__(self) -> str:
        return str(self.path)

    def has(self, file: str) -> bool:
        """Whether the folder has a file, packed or unpacked."""
        return self._found(file) is not None

    def text(self, file: str) -> str:
        """Return the text of a file."""
        path = self._found(file)
        if path is None:
            there = labels.listing(sorted(p.name for p in self.path.iterdir()))
            raise SourceError(
                f"expected {file}_CSV.zip or {file}.csv in {self.path}, got {there or 'an empty folder'}; save the "
                "file there, or leave folder out to fetch it.",
                path=str(self.path),
                file=file,
            )
        try:
            if path.stat().st_size > LARGEST:
                raise SourceError(f"{path} is larger than any file of the French library.", path=str(path))
            return unpacked(path.read_bytes(), file, str(path))
        except OSError as error:
            if isinstance(error, SourceError):
                raise
            raise SourceError(f"cannot read {path}: {error.strerror or error}.", path=str(path)) from error

    def _found(self, file: str) -> Path | None:
        wanted = [f"{file}{ending}".casefold() for ending in _ENDINGS]
        there: dict[str, Any] = {p.name.casefold(): p for p in self.path.iterdir()}
        return next((there[name] for name in wanted if name in there), None)
