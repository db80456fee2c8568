"""What names meant when the source was last asked: kept beside the returns, in files that are whole or not there."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from attrs import frozen

from riskmodel.data.store import digest, named, replace

_FORMAT = 1
Window = tuple[pd.Timestamp | None, pd.Timestamp | None]


@frozen
class Meaning:
    """Which asset a name meant in a window, and when the source said so."""

    identity: int | str
    low: pd.Timestamp | None
    high: pd.Timestamp | None
    said: dt.datetime

    @property
    def window(self) -> str:
        """Its window in words."""
        if self.low is None and self.high is None:
            return "of all dates"
        ends = (
            "" if self.low is None else f"from {self.low.date()}",
            "" if self.high is None else f"to {self.high.date()}",
        )
        return " ".join(filter(None, ends))

    def contains(self, asked: Window) -> bool:
        """Whether a window lies in this one."""
        low, high = asked
        return (self.low is None or (low is not None and low >= self.low)) and (
            self.high is None or (high is not None and high <= self.high)
        )


@frozen
class Meanings:
    """The meanings of the names of one source: one file a name.

    Parameters
    ----------
    home : Path
        The folder of the source.
    source : str
        What tells it from any other.
    """

    home: Path
    source: str

    def path(self, name: str) -> Path:
        """Return where the meanings of a name are, or would be."""
        return self.home / f"name-{digest(named(name))[:32]}.json"

    def read(self, name: str) -> list[Meaning]:
        """Return all that is kept; nothing where there is nothing, or where it is not what was written."""
        try:
            said = json.loads(self.path(name).read_bytes())
            stated = said.pop("sha256")
            if said["format"] != _FORMAT or stated != _checksum(said):
                return []
            if (said["source"], said["name"]) != (self.source, name):
                return []
            return [_meaning(m) for m in said["meanings"]]
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return []

    def write(self, name: str, meaning: Meaning) -> None:
        """Keep a meaning beside those of other windows."""
        others = [m for m in self.read(name) if (m.low, m.high) != (meaning.low, meaning.high)]
        said: dict[str, Any] = {
            "format": _FORMAT,
            "source": self.source,
            "name": name,
            "meanings": [_facts(m) for m in [*others, meaning]],
        }
        replace(self.path(name), json.dumps(said | {"sha256": _checksum(said)}).encode())


def _checksum(said: Mapping[str, Any]) -> str:
    return digest(json.dumps(said, sort_keys=True).encode())


def _facts(meaning: Meaning) -> dict[str, Any]:
    return {
        "identity": meaning.identity,
        "low": None if meaning.low is None else meaning.low.isoformat(),
        "high": None if meaning.high is None else meaning.high.isoformat(),
        "said": meaning.said.isoformat(),
    }


def _meaning(facts: Mapping[str, Any]) -> Meaning:
    low, high = (None if facts[end] is None else pd.Timestamp(facts[end]) for end in ("low", "high"))
    return Meaning(facts["identity"], low, high, dt.datetime.fromisoformat(facts["said"]))
