"""What an asset is called whose file does not say."""

from __future__ import annotations

from pathlib import Path

_ENDINGS = (".gz", ".bz2", ".xz", ".zst", ".zip", ".csv", ".txt", ".tsv", ".parquet", ".parq", ".pq")


def stem(path: Path) -> str:
    """Return a file's name without endings such as .csv.gz."""
    name = path.name
    for ending in _ENDINGS:
        name = name[: -len(ending)] if name.lower().endswith(ending) and len(name) > len(ending) else name
    return name
