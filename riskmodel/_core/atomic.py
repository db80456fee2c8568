"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import BinaryIO

# What a killed process leaves unfinished has this suffix.
UNFINISHED = ".tmp"
# O_EXCL: a file or a link that somebody planted under the new name is never opened. O_BINARY exists on Windows only.
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


@contextmanager
def replacing(path: str | PathLike[str], permissions: int | None = None) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of `path` when the block ends.

    After a crash, a kill or an error at any moment, `path` holds the old content or the new one. The new file has a
    name of its own in the same folder, is on the disk before it is moved, and is removed if anything fails.

    Parameters
    ----------
    path : path
        A link is followed. What is no regular file, such as ``/dev/stdout``, cannot be replaced and is written to.
    permissions : int, optional
        Those of the new file, such as ``0o600``; by default those of the file it replaces, or of any new file.

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
    """Put `content` in the place of what `path` holds, as `replacing` does."""
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
    # the umask may have taken some away; a file system without permissions refuses
    with suppress(OSError):
        os.chmod(unfinished, permissions)
    return handle


def _sync(folder: Path) -> None:
    """Make the new name last through a power cut, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
