"""Atomic writing of files."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import BinaryIO

# The suffix of files that are being written; a killed process leaves them behind.
UNFINISHED = ".tmp"
# O_EXCL: an existing file or link of the new name is never opened. O_BINARY exists on Windows only.
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


@contextmanager
def replacing(path: str | PathLike[str], permissions: int | None = None) -> Iterator[BinaryIO]:
    """Open a new file that replaces `path` when the block ends.

    After a crash, a kill or an error at any moment, `path` holds the old content or the new one. The new file has
    another name in the same folder. It is flushed to disk before it is renamed, and removed if anything fails.

    Parameters
    ----------
    path : path
        Links are followed. A special file, such as ``/dev/stdout``, cannot be replaced and is written to.
    permissions : int, optional
        Of the new file, such as ``0o600``; by default those of the replaced file, or the system's default.

    Raises
    ------
    OSError
        With `path` as its ``filename``, whatever step failed.
    """
    final = Path(os.path.realpath(path))
    unfinished = final.with_name(f".{secrets.token_hex(8)}{UNFINISHED}")
    is_special = final.exists() and not final.is_file()
    try:
        with final.open("wb") if is_special else _moved(unfinished, final, permissions) as file:
            yield file
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(unfinished), str(final)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def write_atomically(path: str | PathLike[str], content: bytes, permissions: int | None = None) -> None:
    """Replace the content of `path`, as `replacing` does."""
    with replacing(path, permissions) as file:
        file.write(content)


@contextmanager
def _moved(unfinished: Path, final: Path, permissions: int | None) -> Iterator[BinaryIO]:
    handle = _create(unfinished, final, permissions)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, final)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
    _sync(final.parent)


def _create(unfinished: Path, final: Path, permissions: int | None) -> int:
    if permissions is not None or not final.exists():
        return os.open(unfinished, _NEW, 0o666 if permissions is None else permissions)
    permissions = stat.S_IMODE(final.stat().st_mode)
    handle = os.open(unfinished, _NEW, permissions)
    # the umask may have removed some; a file system without permissions refuses
    with suppress(OSError):
        os.chmod(unfinished, permissions)
    return handle


def _sync(folder: Path) -> None:
    """Flush a folder to disk, where the system can, so that a new name survives a power cut."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
