"""Paths from callers."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path

from riskmodel.errors import InvalidParameterError

AnyPath = str | PathLike[str]


def read_path(path: AnyPath, what: str) -> Path:
    """Return a path with ``~`` expanded, or raise where it is not a path."""
    if isinstance(path, str) and not path:
        raise InvalidParameterError(f"expected {what} as the path of a file, got an empty text.", path=path)
    try:
        read = Path(path).expanduser()
    except TypeError as error:
        raise InvalidParameterError(
            f"expected {what} as text or pathlib.Path, got {path!r} ({type(path).__name__}).", path=path
        ) from error
    except RuntimeError as error:
        raise InvalidParameterError(
            f"expected {what} with a known home folder, got {str(path)!r}; write the folder out.", path=path
        ) from error
    try:
        encoded = os.fsencode(read)
    except UnicodeEncodeError as error:
        raise InvalidParameterError(
            f"expected {what} in characters that this file system encodes, got the path {str(path)!r}; rename it.",
            path=path,
        ) from error
    if b"\0" in encoded:
        raise InvalidParameterError(f"expected {what} as a path, got {str(path)!r} with a zero byte.", path=path)
    return read
