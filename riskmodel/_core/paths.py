"""Paths as callers give them."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path

from riskmodel.errors import InvalidParameterError

AnyPath = str | PathLike[str]


def read_path(path: AnyPath, what: str) -> Path:
    """Return a path with ``~`` written out, or raise where it can be none on any system."""
    try:
        read = Path(path).expanduser()
    except TypeError as error:
        raise InvalidParameterError(
            f"{what} must be a path, as text or pathlib.Path, but {path!r} ({type(path).__name__}) came."
        ) from error
    except RuntimeError as error:
        raise InvalidParameterError(
            f"{what} is {str(path)!r}, but the home folder that it begins with is not known; write it out."
        ) from error
    try:
        encoded = os.fsencode(read)
    except UnicodeEncodeError as error:
        raise InvalidParameterError(
            f"{what} must be a path, but {str(path)!r} came, which this system has no letters for."
        ) from error
    if b"\0" in encoded:
        raise InvalidParameterError(f"{what} must be a path, but {str(path)!r} came, with a zero byte inside.")
    return read
