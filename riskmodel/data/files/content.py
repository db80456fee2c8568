"""The content of a file: its bytes, unpacked, and its text."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from riskmodel.errors import LayoutError
from riskmodel.panel.stored.parquet import unopened

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


def read_content(path: Path) -> bytes:
    """Read a file, and unpack it where it is compressed.

    Raises
    ------
    SourceError
        If it cannot be opened.
    LayoutError
        If it is not a whole compressed file.
    """
    try:
        content = path.read_bytes()
        unpacked = gzip.decompress(content) if content.startswith(_GZIP) else content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise LayoutError(
            f"expected a whole gzip file, got {path}, which is damaged: {error}; copy it again.", path=str(path)
        ) from error
    except OSError as error:
        raise unopened(path, error) from error
    if unpacked.startswith(_GZIP):
        raise LayoutError(
            f"expected one level of compression, got {path}, compressed with gzip twice; unpack it once.",
            path=str(path),
        )
    return unpacked


def as_text(path: Path, content: bytes) -> str:
    """Decode UTF-8, or raise where the bytes are something else.

    Raises
    ------
    LayoutError
        If it is another encoding or a binary file.
    """
    if content.startswith(_ZIP):
        raise LayoutError(
            f"expected text, got {path}, a zip archive or an Excel workbook; unpack it, or save it as CSV.",
            path=str(path),
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(path, content, error.start) from None
    if "\0" in text:
        raise _not_utf8(path, content, content.index(b"\0"))
    return text


def _not_utf8(path: Path, content: bytes, at: int) -> LayoutError:
    before = content[:at]
    line, byte = before.count(b"\n") + 1, at - (before.rfind(b"\n") + 1) + 1
    return LayoutError(
        f"{path}, line {line}, byte {byte}: expected text in UTF-8, got another encoding or a binary file; save it as "
        "UTF-8.",
        path=str(path),
        line=line,
        byte=byte,
    )
