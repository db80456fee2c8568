"""Series in Parquet files that are whole or not there: atomic to write, verified when read."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import os
import re
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from attrs import evolve, field, frozen

from riskmodel.errors import DamagedEntryWarning, SourceError
from riskmodel.panel.stored.parquet import pyarrow

Kind = Literal["assets", "factors", "rate"]

_FORMAT = 1
_KEY = b"riskmodel"
_UNIT = pd.DatetimeIndex(["2000-01-01"]).unit
# seconds after which an unfinished file is one that a killed process left
_WRITTEN_BY_NOW = 3600.0
_SUFFIX, _UNFINISHED = ".parquet", ".tmp"


@frozen(eq=False)
class Entry:
    """One series of one source, and what is known about it.

    From `low` (None: the beginning) to `high`, all rows that the source has are in `series`. `fetched` is when the
    oldest part of it came, `checked` when the source was last asked what comes after, up to `asked` (None: all).
    """

    kind: Kind
    label: str
    low: pd.Timestamp | None
    high: pd.Timestamp
    fetched: dt.datetime
    checked: dt.datetime
    asked: pd.Timestamp | None
    series: pd.Series[float]
    provenance: Mapping[str, str] = field(factory=dict)


class DamagedError(Exception):
    """A file is not what was written (internal: it becomes a `DamagedEntryWarning`)."""


@frozen
class Store:
    """The entries of one source in a folder: one file a series, named by a digest of what it is."""

    folder: Path
    source: str

    @property
    def home(self) -> Path:
        """Where the entries of this source are."""
        readable = re.sub(r"[^A-Za-z0-9]+", "-", self.source)[:40].strip("-")
        return self.folder / f"{readable}-{digest(named(self.source))[:16]}"

    def path(self, kind: Kind, label: str) -> Path:
        """Return where an entry is, or would be."""
        return self.home / f"{kind}-{digest(named(label))[:32]}{_SUFFIX}"

    def read(self, kind: Kind, label: str) -> Entry | None:
        """Return an entry, or None where there is none; a damaged one is told and counts as none."""
        path = self.path(kind, label)
        try:
            entry = decode(path.read_bytes(), self.source)
            if entry is not None and (entry.kind, entry.label) != (kind, label):
                raise DamagedError(f"it holds {entry.label} of the {entry.kind}")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SourceError(
                f"the cache in {self.folder} cannot be read: {error.strerror or error}.", folder=str(self.folder)
            ) from error
        except DamagedError as error:
            warnings.warn(
                f"{path}, with {label} of {self.source}, is damaged ({error}); it is fetched again.",
                DamagedEntryWarning,
                stacklevel=5,
            )
            return None
        return entry

    def write(self, entry: Entry) -> None:
        """Put an entry in place of what is there: after a crash at any moment it is the old one or the new one."""
        replace(self.path(entry.kind, entry.label), encode(entry, self.source))

    def files(self) -> Iterator[Path]:
        """All files with entries of this source."""
        if self.folder.exists() and not self.folder.is_dir():
            raise SourceError(f"the cache in {self.folder} cannot be read: it is no folder.", folder=str(self.folder))
        yield from sorted(filter(Path.is_file, self.home.glob(f"*{_SUFFIX}")))

    def clear(self) -> int:
        """Remove the entries of this source, and what unfinished writes left; return how many entries there were.

        What another process may be writing just now stays, and so does the folder that it writes into.
        """
        files = list(self.files())
        left = [path for path in self.home.glob(f".*{_UNFINISHED}") if _is_left(path)]
        for path in [*files, *filter(Path.is_file, self.home.glob("name-*.json")), *left]:
            path.unlink(missing_ok=True)
        return len(files)


def _is_left(path: Path) -> bool:
    """Whether an unfinished file is so old that nobody is writing it."""
    try:
        return path.is_file() and time.time() - path.stat().st_mtime > _WRITTEN_BY_NOW
    except FileNotFoundError:
        return False


def encode(entry: Entry, source: str) -> bytes:
    """Write an entry as Parquet, with a checksum over all that it says."""
    arrow, parquet = pyarrow("Cached")
    days, numbers = _arrays(entry.series)
    facts = {
        "format": _FORMAT,
        "source": source,
        "kind": entry.kind,
        "label": entry.label,
        "low": _text(entry.low),
        "high": _text(entry.high),
        "asked": _text(entry.asked),
        "fetched": entry.fetched.isoformat(),
        "checked": entry.checked.isoformat(),
        "provenance": dict(entry.provenance),
    }
    facts["sha256"] = _checksum(facts, days, numbers)
    table = arrow.table({"date": arrow.array(days.view("datetime64[ns]")), "value": arrow.array(numbers)})
    file = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata({_KEY: json.dumps(facts)}), file, compression="zstd")
    return file.getvalue()


def decode(content: bytes, source: str) -> Entry | None:
    """Read an entry back; None where another version of this package wrote it, `DamagedError` where it is not whole."""
    arrow, parquet = pyarrow("Cached")
    try:
        table = parquet.read_table(io.BytesIO(content))
        facts = json.loads(table.schema.metadata[_KEY])
        if facts["format"] != _FORMAT:
            return None
        days = table.column("date").to_numpy().astype("datetime64[ns]").view(np.int64)
        numbers = table.column("value").to_numpy()
        stated = facts.pop("sha256")
        if stated != _checksum(facts, days, numbers):
            raise DamagedError("its checksum does not fit")
        if facts["source"] != source:
            raise DamagedError(f"it comes from {facts['source']}")
        return Entry(
            kind=facts["kind"],
            label=facts["label"],
            low=_timestamp(facts["low"]),
            high=pd.Timestamp(facts["high"]),
            asked=_timestamp(facts["asked"]),
            fetched=dt.datetime.fromisoformat(facts["fetched"]),
            checked=dt.datetime.fromisoformat(facts["checked"]),
            provenance=facts["provenance"],
            series=pd.Series(np.array(numbers), pd.DatetimeIndex(days.view("datetime64[ns]")).as_unit(_UNIT)),
        )
    except (arrow.ArrowException, OSError, ValueError, LookupError, TypeError, AttributeError, MemoryError) as error:
        raise DamagedError(
            f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
        ) from error


def extended(entry: Entry, rows: pd.Series[float], low: pd.Timestamp | None, high: pd.Timestamp | None) -> Entry:
    """Put the rows of a window in place of what the entry has there."""
    inside = np.ones(len(entry.series), dtype=bool)
    if low is not None:
        inside &= entry.series.index >= low
    if high is not None:
        inside &= entry.series.index <= high
    series = pd.concat([entry.series[~inside], rows]).sort_index()
    return evolve(entry, series=series)


def _arrays(series: pd.Series[float]) -> tuple[Any, Any]:
    days = pd.DatetimeIndex(series.index).as_unit("ns").to_numpy().view(np.int64)
    return days, series.to_numpy(dtype=np.float64)


def _checksum(facts: Mapping[str, Any], days: Any, numbers: Any) -> str:
    said = json.dumps(facts, sort_keys=True).encode()
    return digest(said + b"\0" + days.astype("<i8").tobytes() + numbers.astype("<f8").tobytes())


def digest(content: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def named(label: str) -> bytes:
    """A label as bytes, also where it is no text, as what comes from a command line may be."""
    return label.encode(errors="surrogatepass")


def _text(date: pd.Timestamp | None) -> str | None:
    return None if date is None else date.date().isoformat()


def _timestamp(text: str | None) -> pd.Timestamp | None:
    return None if text is None else pd.Timestamp(text)


def replace(path: Path, content: bytes) -> None:
    """Put a file in place of what is there: after a crash at any moment it is the old one or the new one."""
    try:
        try:
            _put(path, content)
        except FileNotFoundError:  # somebody took the folder away meanwhile
            _put(path, content)
    except OSError as error:
        folder = path.parent.parent
        raise SourceError(
            f"the cache in {folder} cannot be written: {error.strerror or error}.", folder=str(folder)
        ) from error


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(prefix=".", suffix=_UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make the new name last through a power cut, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
