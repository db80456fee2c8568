"""Warnings on the command line: printed with their names and with its options, refused, or allowed by name."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence

from riskmodel import errors
from riskmodel.cli.terminal import filled
from riskmodel.cli.wording import as_options
from riskmodel.errors import RiskModelWarning


def name_of(kind: type[Warning]) -> str:
    """Name a kind of warnings as ``--allow`` takes it: ``suspect-return``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__.removesuffix("Warning")).lower()


# Each kind of warnings by its name.
KINDS: dict[str, type[RiskModelWarning]] = {
    name_of(kind): kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, RiskModelWarning) and kind is not RiskModelWarning
}


def kind(text: str) -> type[RiskModelWarning]:
    """Read the name of a kind of warnings."""
    if text not in KINDS:
        raise argparse.ArgumentTypeError(f"expected the name of a warning, {', '.join(KINDS)}, got {text!r}")
    return KINDS[text]


@contextlib.contextmanager
def shown(strict: bool, allowed: Sequence[type[RiskModelWarning]]) -> Iterator[list[str]]:
    """Print warnings as they come, and collect those of this package for the notes of the report.

    Where `strict`, they are raised instead, all but those that are allowed.
    """
    said: list[str] = []

    def show(message: Warning | str, *_: object, **__: object) -> None:
        text = as_options(str(message))
        if not isinstance(message, RiskModelWarning):
            tell(f"riskmodel: warning: {text}")
            return
        if text not in said:
            tell(f"riskmodel: warning ({name_of(type(message))}): {text}")
            said.append(text)

    with warnings.catch_warnings():
        warnings.simplefilter("error" if strict else "always", RiskModelWarning)
        for allowed_kind in allowed:
            warnings.simplefilter("always", allowed_kind)
        warnings.showwarning = show
        yield said


def refusal(warning: RiskModelWarning) -> str:
    """Return the message of a warning that ``--strict`` refuses, with how it is allowed."""
    return f"{as_options(str(warning))} If that is as it should be, give --allow {name_of(type(warning))}."


def tell(message: str) -> None:
    """Print a message to stderr, where there is one."""
    if sys.stderr is not None:  # None if the caller closed it; print would then write to stdout
        print(filled(message, "  ", sys.stderr) if sys.stderr.isatty() else message, file=sys.stderr)


def tell_all(messages: Iterable[str]) -> None:
    """Print notes to stderr."""
    for message in messages:
        tell(f"riskmodel: note: {message}")
