"""``--config FILE``: options in a TOML file, as if they had been typed."""

from __future__ import annotations

import argparse
import datetime
import difflib
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Self, final

from attrs import frozen

from riskmodel._core.paths import read_path
from riskmodel.cli.options import joined
from riskmodel.cli.parser import Parser
from riskmodel.errors import InvalidParameterError

_ASSETS = "assets"
_SCALARS = (str, int, float, datetime.date)


@final
@frozen
class Configuration:
    """The content of a configuration file.

    Attributes
    ----------
    path : str
        The file, as typed.
    content : mapping
        Options of all commands, and a table for each command that has options of its own.
    """

    path: str
    content: Mapping[str, Any]

    @classmethod
    def given(cls, argv: Sequence[str]) -> Self | None:
        """Read the file of ``--config``, wherever it stands among the arguments; None without one.

        Raises
        ------
        InvalidParameterError
            For a file that is no TOML.
        """
        own = Parser(add_help=False, allow_abbrev=False)
        own.add_argument("--config")
        path = own.parse_known_args([*argv])[0].config
        if path is None:
            return None
        try:
            text = read_path(path, "--config").read_bytes().decode()
            return cls(path, tomllib.loads(text))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidParameterError(
                f"expected TOML in {path}, got an error: {error}; mend it.", path=path
            ) from error

    def arguments(self, command: str, parsers: Mapping[str, Parser], argv: Sequence[str]) -> list[str]:
        """Return the arguments of a command: those of the file, then the typed ones, which override.

        Parameters
        ----------
        command : str
            One of the names of the parsers.
        parsers : mapping of name to Parser
            Of all commands, because options before the first table may be those of another command.
        argv : sequence of str
            What was typed after the command.

        Raises
        ------
        InvalidParameterError
            For options that no command has, or values that are no text, numbers, dates, lists of these, true or false.
        """
        asked = self._asked(command, parsers)
        assets = asked.pop(_ASSETS, [])
        options = [self._typed(key, value) for key, value in asked.items()]
        # an option with several values would take what follows, so --config stands after all of them
        typed = [part for parts in options for part in parts] + [f"--config={self.path}"]
        if not getattr(parsers[command].parse_intermixed_args([*typed, *argv]), _ASSETS, assets):
            typed += self._assets(assets)
        return joined([*typed, *argv])

    def _asked(self, command: str, parsers: Mapping[str, Parser]) -> dict[str, Any]:
        """Return the options of the command, by name."""
        shared = {key: value for key, value in self.content.items() if key not in parsers}
        own = self.content.get(command, {})
        if not isinstance(own, Mapping):
            raise self._error(f"[{command}] as a table", own)
        every = {name: _names(parser) for name, parser in parsers.items()}
        _require_known(self.path, shared, set().union(*every.values()))
        _require_known(self.path, own, every[command])
        return {**{key: value for key, value in shared.items() if key in every[command]}, **own}

    def _typed(self, key: str, value: Any) -> list[str]:
        """Return an option as it would be typed."""
        if value is True:
            return [f"--{key}"]
        if value is False:
            return []
        if isinstance(value, list) and value:
            return [f"--{key}", *(self._text(key, item) for item in value)]
        return [f"--{key}={self._text(key, value)}"]

    def _assets(self, assets: Any) -> list[str]:
        """Return assets as they would be typed, of a list or a table of weights."""
        if isinstance(assets, Mapping):
            return [f"{name}={self._text(_ASSETS, weight)}" for name, weight in assets.items()]
        if not isinstance(assets, list):
            raise self._error(f"{_ASSETS} as a list of names or a table of weights", assets)
        return [self._text(_ASSETS, name) for name in assets]

    def _text(self, key: str, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, _SCALARS):
            raise self._error(f"{key} as text, a number, a date, or a list of these", value)
        return str(value)

    def _error(self, what: str, got: Any) -> InvalidParameterError:
        return InvalidParameterError(
            f"expected {what} in {self.path}, got {got!r}; correct it.", path=self.path, got=got
        )


def _names(parser: Parser) -> set[str]:
    """Return the long names of a parser's options, and of what it takes without a name."""
    names = {_ASSETS}
    for action in parser._actions:
        names |= {option.removeprefix("--") for option in action.option_strings if option.startswith("--")}
    return names - {"help", "config"}


def _require_known(path: str, given: Mapping[str, Any], known: set[str]) -> None:
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise InvalidParameterError(
                f"expected options in {path} by their long names without dashes, got {key!r}; "
                + (f"the nearest is {near[0]!r}." if near else "riskmodel COMMAND --help lists them."),
                path=path,
                got=key,
            )


def parsed(command: str, parsers: Mapping[str, Parser], argv: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments of a command, after those of its ``--config`` file."""
    configuration = Configuration.given(argv)
    if configuration is None:
        return parsers[command].parse_intermixed_args(joined(argv))
    return parsers[command].parse_intermixed_args(configuration.arguments(command, parsers, joined(argv)))
