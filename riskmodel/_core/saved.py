"""The format of saved files: a first line, a checksum, a header that people can read, and numpy arrays.

The first line names the kind and the version. The second has the SHA-256 of all the rest, the first line included. The
header is JSON, one entry a line; behind it stand the arrays in numpy's ``npy`` format, in the order that the header
lists. Nothing is pickled.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskmodel import __version__
from riskmodel._core.atomic import write_atomically
from riskmodel.errors import NewerFileError, SourceError, UnreadableFileError

_FIRST = re.compile(rb"riskmodel (\w+) file, version ([0-9]{1,9})\n")
_SUM = re.compile(rb"sha256 ([0-9a-f]{64})\n")
_END = b"\n}\n"
# What reading a header and arrays of any content raises.
DAMAGE = (
    *(ValueError, KeyError, TypeError, EOFError, AttributeError, IndexError),
    *(MemoryError, OverflowError, RecursionError, SyntaxError),
)


def write_saved(
    path: Path, kind: str, version: int, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write a file atomically; an existing file is unchanged where anything fails."""
    first = f"riskmodel {kind} file, version {version}\n".encode()
    said = {"written_by": f"riskmodel {__version__}", **head, "arrays": list(arrays)}
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in said.items())
    content = io.BytesIO()
    content.write(b"{\n" + lines.encode("ascii") + _END)
    for array in arrays.values():
        np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
    body = content.getvalue()
    digest = hashlib.sha256(first + body).hexdigest()
    write_atomically(path, first + f"sha256 {digest}\n".encode() + body)


def read_saved(path: Path, kind: str, version: int) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read the header and the arrays of a file.

    Raises
    ------
    NewerFileError
        If a newer version wrote it.
    UnreadableFileError
        If it is damaged, cut short, or of another kind.
    SourceError
        If there is no file, or it cannot be opened.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be opened: {error.strerror or error}.", path=str(path)) from error
    first = _FIRST.match(content)
    if first is None or first[1].decode() != kind:
        got = "something else" if first is None else f"a file of a {first[1].decode()}"
        raise UnreadableFileError(
            f"expected a file of {kind}.save, got {path}, which is {got}.", path=str(path), expected=kind
        )
    if int(first[2]) > version:
        raise NewerFileError(
            f"expected {path} of version {version} or older, got version {int(first[2])}, which a newer riskmodel "
            "wrote; upgrade riskmodel, or save it again with this one.",
            path=str(path),
            version=int(first[2]),
            newest=version,
        )
    total = _SUM.match(content, first.end())
    if total is None or hashlib.sha256(first[0] + content[total.end() :]).hexdigest() != total[1].decode():
        raise damaged(path, kind, "its checksum is not that of its content")
    try:
        return _parsed(content[total.end() :])
    except DAMAGE as error:
        raise damaged(path, kind, str(error)) from error


def damaged(path: Path, kind: str, why: str) -> UnreadableFileError:
    """Make the error for a file that has other content than what was written."""
    return UnreadableFileError(
        f"expected a file of {kind}.save, got {path}, which is damaged or cut short: {why}; save it again, or take a "
        "backup.",
        path=str(path),
        expected=kind,
    )


def _parsed(body: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    end = body.index(_END) + len(_END)
    head = json.loads(body[:end])
    stream = io.BytesIO(body[end:])
    arrays = {name: np.lib.format.read_array(stream, allow_pickle=False) for name in head["arrays"]}
    if stream.read(1):
        raise ValueError("bytes follow the last array")
    return head, arrays
