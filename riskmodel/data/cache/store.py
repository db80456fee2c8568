"""The files of one source in a folder."""

from __future__ import annotations

import errno
import hashlib
import re
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from attrs import frozen

from riskmodel._core.atomic import UNFINISHED, write_atomically
from riskmodel.data.cache.record import DamagedError, decode, encode
from riskmodel.errors import DamagedEntryWarning, MissingExtraError, SourceError

Kind = Literal["assets", "factors", "rate", "names"]
Record = tuple[dict[str, Any], "pd.Series[float]"]

_FORMAT = 2  # files of another format are in another folder
_OWNER = 0o600  # the data may be under a licence
_ABANDONED = 3600.0  # seconds after which an unfinished file is abandoned
_PATIENCE = 600.0  # seconds to wait for another process


@frozen
class Store:
    """The records of one source: one file for each kind and label."""

    folder: Path
    source: str
    row_days: float  # returns of one source per day and per month are different series
    returns: str = ""  # what they are, where they are not total returns

    @property
    def key(self) -> str:
        """Identifier of these records."""
        return ", ".join(filter(None, (self.source, f"per {self.row_days:g} days", self.returns)))

    @property
    def home(self) -> Path:
        """The folder of this source."""
        readable = re.sub(r"[^A-Za-z0-9]+", "-", self.source)[:40].strip("-")
        return self.folder / f"{readable}-{_digest(self.key)[:16]}-{_FORMAT}"

    def path(self, kind: Kind, label: str) -> Path:
        """Return the path of a record, which may not exist."""
        return self.home / f"{kind}-{_digest(label)[:32]}.parquet"

    def read(self, kind: Kind, label: str) -> Record | None:
        """Read a record; None if it does not exist, or if it is damaged, with a warning."""
        path = self.path(kind, label)
        content = self._content(path)
        if content is None:
            return None
        try:
            facts, series = self._decode(content)
            if (facts["kind"], facts["label"]) != (kind, label):
                raise DamagedError(f"it holds {facts['label']} of the {facts['kind']}")
        except DamagedError as error:
            warnings.warn(
                f"{path}, with {label} of {self.source}, is damaged ({error}); it is fetched again.",
                DamagedEntryWarning,
                stacklevel=7,
            )
            return None
        return facts, series

    def records(self, *kinds: Kind) -> Iterator[tuple[Path, int, Record | None]]:
        """Yield path, size and record of each file of some kinds; the record is None for a damaged file."""
        for path in self._files(*kinds):
            content = self._content(path)
            if content is not None:  # it may have been removed since it was listed
                record = None
                with suppress(DamagedError):
                    record = self._decode(content)
                yield path, len(content), record

    def write(self, kind: Kind, label: str, facts: Mapping[str, Any], series: pd.Series[float]) -> None:
        """Write a record, and replace an existing one."""
        content = encode({**facts, "source": self.key, "kind": kind, "label": label}, series)
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path(kind, label), content, _OWNER)
        except OSError as error:
            raise self._failed("written", error) from error

    @contextmanager
    def turn(self, kind: Kind) -> Iterator[None]:
        """Wait until no other thread or process fetches and stores records of this kind.

        Files are consistent without the lock, which only prevents duplicate work. So continue without it if it is not
        available: in a read-only folder, or if another process never releases it.
        """
        extra("pyarrow")  # before anything is fetched that could not be written
        lock = extra("filelock").FileLock(self.home / f".{kind}.lock", mode=_OWNER, is_singleton=True)
        with ExitStack() as stack:
            with suppress(OSError, NotImplementedError):
                self.home.mkdir(parents=True, exist_ok=True)
                stack.enter_context(lock.acquire(timeout=_PATIENCE))
            yield

    def clear(self) -> int:
        """Remove all records of this source; return the number of series.

        Files that another process may be writing stay, and so does the folder.
        """
        series = self._files("assets", "factors", "rate")
        unfinished = [path for path in self.home.glob(f".*{UNFINISHED}") if _is_abandoned(path)]
        for path in [*series, *self._files("names"), *unfinished]:
            path.unlink(missing_ok=True)
        return len(series)

    def _content(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed("read", error) from error

    def _decode(self, content: bytes) -> Record:
        facts, series = decode(content)
        if facts["source"] != self.key:
            raise DamagedError(f"it comes from {facts['source']}")
        return facts, series

    def _files(self, *kinds: Kind) -> list[Path]:
        if self.folder.exists() and not self.folder.is_dir():
            raise self._failed("read", NotADirectoryError(errno.ENOTDIR, "Not a directory"))
        return [path for kind in kinds for path in sorted(self.home.glob(f"{kind}-*.parquet")) if path.is_file()]

    def _failed(self, what: str, error: OSError) -> SourceError:
        return SourceError(
            f"the cache in {self.folder} cannot be {what}: {error.strerror or error}.", folder=str(self.folder)
        )


def extra(name: str) -> Any:
    """Import a package of the extra ``cache``."""
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtraError.of("Cached", name, "cache") from error


def _digest(text: str) -> str:
    # a label from the command line may have bytes that do not decode
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _is_abandoned(path: Path) -> bool:
    with suppress(FileNotFoundError):
        return path.is_file() and time.time() - path.stat().st_mtime > _ABANDONED
    return False
