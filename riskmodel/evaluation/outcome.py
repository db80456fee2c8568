"""What one date of a study gave: forecasts of each method, and what happened."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any, BinaryIO, Self, final

import numpy as np
from attrs import field, frozen

from riskmodel._core.arrays import Array, Index


@final
@frozen(eq=False)
class FamilyOutcome:
    """Portfolios of one family, as one method forecast them.

    Attributes
    ----------
    labels : tuple of str
        M of them.
    variance : array, shape (M,)
        Forecast variance over the horizon, return².
    returns : array, shape (h, M)
        Their excess returns in each row after the window.
    weights : array, shape (N,) or None
        Of a lone portfolio.
    """

    labels: tuple[str, ...]
    variance: Array
    returns: Array
    weights: Array | None = None


@final
@frozen(eq=False)
class MethodOutcome:
    """What one method gave on one date.

    Attributes
    ----------
    seconds : float
        Time of the forecast.
    families : dict
        By family that could be evaluated.
    distances : array, shape (h,)
        r' Σ⁻¹ r / N of the assets' returns in each row after the window; empty where Σ cannot be inverted.
    failures : dict
        By part, why it could not be evaluated; the part ``"forecast"`` is all.
    """

    seconds: float
    families: Mapping[str, FamilyOutcome] = field(factory=dict)
    distances: Array = field(factory=lambda: np.empty(0))
    failures: Mapping[str, str] = field(factory=dict)


@final
@frozen(eq=False)
class DateOutcome:
    """What one date gave.

    Attributes
    ----------
    stop : int
        The row after the last of the window.
    reasons : array, shape (N,)
        What became of each asset of the panel, as a position in `universe.REASONS`.
    filled : int
        Returns that were missing in the window, zero for methods that are not ours.
    market : array, shape (h,)
        Returns of the equal-weighted portfolio of the assets used.
    methods : dict
        By name.
    """

    stop: int
    reasons: Index
    filled: int
    market: Array
    methods: Mapping[str, MethodOutcome]

    def save(self, file: BinaryIO, identity: str) -> None:
        """Write it, with the identity of the study that it belongs to."""
        arrays: dict[str, Array] = {"reasons": self.reasons.astype(np.int8), "market": self.market}
        methods: dict[str, Any] = {}
        for i, (name, method) in enumerate(self.methods.items()):
            arrays[f"{i}.distances"] = method.distances
            families = {}
            for j, (family, outcome) in enumerate(method.families.items()):
                families[family] = list(outcome.labels)
                arrays[f"{i}.{j}.variance"], arrays[f"{i}.{j}.returns"] = outcome.variance, outcome.returns
                if outcome.weights is not None:
                    arrays[f"{i}.{j}.weights"] = outcome.weights
            methods[name] = {"seconds": method.seconds, "failures": dict(method.failures), "families": families}
        head = {"identity": identity, "stop": self.stop, "filled": self.filled, "methods": methods}
        buffer = io.BytesIO()
        np.savez(buffer, head=np.array(json.dumps(head)), **arrays)  # type: ignore[arg-type]
        file.write(buffer.getvalue())

    @classmethod
    def load(cls, content: bytes) -> tuple[str, Self]:
        """Read what `save` wrote: the identity of the study, and the outcome.

        Raises
        ------
        ValueError, KeyError, OSError, zipfile.BadZipFile
            For a damaged file.
        """
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            head = json.loads(str(file["head"]))
            methods = {name: _method(file, i, said) for i, (name, said) in enumerate(head["methods"].items())}
            reasons = file["reasons"].astype(np.intp)
            return head["identity"], cls(head["stop"], reasons, head["filled"], file["market"], methods)


def _method(file: Any, i: int, said: dict[str, Any]) -> MethodOutcome:
    families = {
        name: FamilyOutcome(
            tuple(labels),
            file[f"{i}.{j}.variance"],
            file[f"{i}.{j}.returns"],
            file.get(f"{i}.{j}.weights"),
        )
        for j, (name, labels) in enumerate(said["families"].items())
    }
    return MethodOutcome(said["seconds"], families, file[f"{i}.distances"], said["failures"])
