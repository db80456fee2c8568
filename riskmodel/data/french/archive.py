"""Files of the French library as bytes: a zip archive of one CSV file, or that file itself."""

from __future__ import annotations

import io
import zlib
from zipfile import BadZipFile, ZipFile

from riskmodel.data.french.text import changed
from riskmodel.errors import SourceError

# The largest file of the library has some 60 MB of text. A small archive can unpack to what no memory holds.
LARGEST = 256 * 2**20
_ZIP = b"PK"


def unpacked(content: bytes, file: str, where: str) -> str:
    """Return the text of a file.

    Parameters
    ----------
    content : bytes
        A zip archive, of which the first member is read, or text.
    file, where : str
        The name of the file, and its address, for errors.

    Raises
    ------
    SourceError
        If the archive is damaged, encrypted or cut off, or holds more than `LARGEST` bytes.
    LayoutError
        If it is empty.
    """
    data = _first_member(content, file, where) if content.startswith(_ZIP) else content
    # prose may hold quotes of another character set; a number or a date in one is refused later
    return data.decode("utf-8", "replace")


def _first_member(content: bytes, file: str, where: str) -> bytes:
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if not names:
                raise changed(file, "the archive is empty")
            with archive.open(names[0]) as member:
                data = member.read(LARGEST + 1)
    except (BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError) as error:
        raise SourceError(
            f"expected a whole zip file from {where}, got one that cannot be unpacked ({error}); try again, and open "
            "the address in a browser if this persists.",
            url=where,
        ) from error
    if len(data) > LARGEST:
        raise SourceError(
            f"expected at most {LARGEST // 2**20} MiB of text from {where}, got an archive that unpacks to more; it is "
            "no file of the French library.",
            url=where,
            largest=LARGEST,
        )
    return data
