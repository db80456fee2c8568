"""The content of a file: its bytes, unpacked, and its text."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, final

from attrs import frozen

from riskmodel.errors import LayoutError, MissingExtraError, SourceError
from riskmodel.panel.stored.parquet import pyarrow, unopened

# A small archive can unpack to what no memory holds.
MOST_BYTES = 8 * 2**30
_CHUNK = 1 << 20
_ZIP = b"PK"
_DAMAGED = (
    EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError,
)  # fmt: skip
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@final
@frozen
class _Packing:
    """A kind of compression: how its files begin, and how they are read."""

    name: str
    begins: bytes
    opened: Callable[[IO[bytes]], Any]


def _zstd(file: IO[bytes]) -> Any:
    arrow, _ = pyarrow("a file that is compressed with zstd")
    return arrow.CompressedInputStream(arrow.PythonFile(file, mode="r"), "zstd")


_PACKINGS = (
    _Packing("gzip", b"\x1f\x8b", lambda file: gzip.GzipFile(fileobj=file)),
    _Packing("bzip2", b"BZh", bz2.BZ2File),
    _Packing("xz", b"\xfd7zXZ\x00", lzma.LZMAFile),
    _Packing("zstd", b"\x28\xb5\x2f\xfd", _zstd),
)


def read_content(path: Path) -> bytes:
    """Read a file, and unpack it where it is compressed (gzip, bzip2, xz, zstd, or zip with one file).

    Raises
    ------
    SourceError
        If it cannot be opened, or unpacks to more than `MOST_BYTES`.
    LayoutError
        If it is not a whole compressed file, is compressed twice, or is a zip archive of several files.
    MissingExtraError
        If it is compressed with zstd, and pyarrow is not installed.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unopened(path, error) from error
    packing = _packing(content)
    if packing is None:
        return content
    unpacked = _unpacked(path, content, packing)
    again = _packing(unpacked)
    if again is not None:
        raise LayoutError(
            f"expected one level of compression, got {path}, compressed with {packing.name} and in there with "
            f"{again.name}; unpack it once.",
            path=str(path),
            compression=[packing.name, again.name],
        )
    return unpacked


def _packing(content: bytes) -> _Packing | None:
    if content.startswith(_ZIP):
        return _Packing("zip", _ZIP, _the_member)
    return next((packing for packing in _PACKINGS if content.startswith(packing.begins)), None)


def _unpacked(path: Path, content: bytes, packing: _Packing) -> bytes:
    parts, size = [], 0
    try:
        with packing.opened(io.BytesIO(content)) as stream:
            while part := stream.read(_CHUNK):
                size += len(part)
                if size > MOST_BYTES:
                    raise SourceError(
                        f"expected at most {MOST_BYTES:,} bytes in {path}, got more where it is unpacked; unpack it "
                        "yourself, and store it as Parquet, if that is no mistake.",
                        path=str(path),
                        most=MOST_BYTES,
                    )
                parts.append(part)
    except (SourceError, LayoutError, MissingExtraError):
        raise
    except _MembersError as error:
        raise LayoutError(
            f"expected a zip archive of one file, got {path}, {error}; unpack it, or save it as CSV.",
            path=str(path),
            members=error.names,
        ) from None
    except _DAMAGED as error:
        raise LayoutError(
            f"expected a whole {packing.name} file, got {path}, which is damaged or encrypted: {error}; copy it again.",
            path=str(path),
            compression=[packing.name],
        ) from error
    return b"".join(parts)


class _MembersError(Exception):
    """A zip archive does not have one file."""

    def __init__(self, message: str, names: list[str]) -> None:
        super().__init__(message)
        self.names = names


def _the_member(file: IO[bytes]) -> Any:
    archive = zipfile.ZipFile(file)
    every = archive.namelist()
    if "[Content_Types].xml" in every:
        raise _MembersError("an Excel workbook", every)
    # folders, and the notes of macOS
    names = [name for name in every if not name.endswith("/") and not name.startswith("__MACOSX/")]
    if len(names) != 1:
        raise _MembersError(f"an archive of {len(names)}", names)
    return archive.open(names[0])


# -- text --------------------------------------------------------------------------------------------


def as_text(path: Path, content: bytes) -> str:
    """Decode UTF-8, or UTF-16 with its byte order mark; raise where the bytes are something else.

    Raises
    ------
    LayoutError
        If it is another encoding or a binary file.
    """
    try:
        text = content.decode("utf-16" if content.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_text(path, content, error.start) from None
    if "\0" in text:
        raise _not_text(path, content, content.index(b"\0"))
    return text


def _not_text(path: Path, content: bytes, at: int) -> LayoutError:
    before = content[:at]
    line, byte = before.count(b"\n") + 1, at - (before.rfind(b"\n") + 1) + 1
    return LayoutError(
        f"{path}, line {line}, byte {byte}: expected text in UTF-8, got another encoding or a binary file; save it as "
        "UTF-8.",
        path=str(path),
        line=line,
        byte=byte,
    )
