"""Where a file is: a path, or an address of this machine."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from riskmodel._core.paths import AnyPath, read_path
from riskmodel.errors import InvalidParameterError

# a letter before a colon may be a drive
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_HERE = ("", "localhost")


def read_source(path: AnyPath) -> Path:
    """Return the path of a file, which may be given as ``file://``.

    Raises
    ------
    InvalidParameterError
        For an address of another machine, and for what is no path.
    """
    if not isinstance(path, str) or not _URL.match(path):
        return read_path(path, "path")
    try:
        parts = urlsplit(path)
        if parts.scheme.lower() == "file" and (parts.hostname or "") in _HERE:
            return read_path(url2pathname(parts.path), "path")
    except ValueError:  # brackets that are no address
        pass
    raise InvalidParameterError(
        f"expected a file on this machine, got the address {path}; download it first, and give the path of the file.",
        path=path,
    )
