"""Parameters of frozen estimators, in the way of scikit-learn: ``estimator__half_life``."""

from __future__ import annotations

from typing import Any

import attrs

from riskmodel.errors import InvalidParameterError


class NestedParameters:
    """`get_params` and `set_params` that reach into frozen attrs values, which they replace by `attrs.evolve`.

    To be listed before ``BaseEstimator``.
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters of the constructor; with `deep`, also those of the estimators within, by ``outer__inner``."""
        own: dict[str, Any] = super().get_params(deep=deep)  # type: ignore[misc]
        if deep:
            for name, value in list(own.items()):
                own |= _fields(value, f"{name}__")
        return own

    def set_params(self, **params: Any) -> Any:
        """Set parameters; an estimator within is replaced by one that differs in the field.

        Raises
        ------
        InvalidParameterError
            For a name that is not among those of `get_params`.
        """
        known = self.get_params()
        # a new estimator first, then the fields of it
        for path, value in sorted(params.items(), key=lambda item: item[0].count("__")):
            if path not in known:
                raise InvalidParameterError(
                    f"expected a parameter of {type(self).__name__}, got {path!r}; there are {', '.join(known)}.",
                    parameter=path,
                    known=list(known),
                )
            name, _, rest = path.partition("__")
            setattr(self, name, _replaced(getattr(self, name), rest, value) if rest else value)
            known = self.get_params()
        return self


def _fields(value: Any, prefix: str) -> dict[str, Any]:
    if isinstance(value, type) or not attrs.has(type(value)):
        return {}
    found = {f"{prefix}{f.alias}": getattr(value, f.name) for f in attrs.fields(type(value)) if f.init}
    for path, inner in list(found.items()):
        found |= _fields(inner, f"{path}__")
    return found


def _replaced(value: Any, path: str, new: Any) -> Any:
    name, _, rest = path.partition("__")
    inner = {f.alias: f.name for f in attrs.fields(type(value))}[name]
    return attrs.evolve(value, **{name: _replaced(getattr(value, inner), rest, new) if rest else new})
