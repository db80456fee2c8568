"""The identifier of a model whose tables are in several files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def identifier(parts: Iterable[bytes]) -> str:
    """Return the SHA-256 of parts; neither their order nor the places where they are cut can change without it."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()
