"""The command line: ``riskmodel COMMAND``."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from types import ModuleType

from riskmodel.cli import notices
from riskmodel.cli.completion import completion_parser, print_completion
from riskmodel.cli.configuration import parsed
from riskmodel.cli.data import data_parser, print_catalogue
from riskmodel.cli.notices import tell
from riskmodel.cli.parser import Parser
from riskmodel.cli.wording import as_options
from riskmodel.errors import RiskModelError, RiskModelWarning

# Each is a module of this folder, imported when it is asked for.
_COMMANDS = ("report", "hedge", "what-if", "attribute", "change", "scenario", "tails", "fit", "study")
_BAD_INPUT, _INTERRUPTED, _BROKEN_PIPE = 2, 130, 141

_OVERVIEW = """\
Factor risk models on the command line.

  riskmodel report          a risk report on a sample portfolio: start here
  riskmodel report --help   its options, with examples
  riskmodel hedge           ways to hedge it side by side, in factors or in instruments
  riskmodel what-if         risk before and after trades, and the trades that cut it most
  riskmodel attribute       where its returns are from: factors, alpha, and what is specific
  riskmodel change          why its risk changed between two dates
  riskmodel scenario        what it loses where factors move, and in episodes of the past
  riskmodel tails           value at risk and expected shortfall, by several methods, with backtests
  riskmodel fit             the model alone: alphas, loadings and idio volatilities, with errors
  riskmodel study           compare risk models out of sample, on the sample or on returns of your own
  riskmodel data french     data sets of the French library: factor sets, and portfolios to use as assets
  riskmodel completion bash   a script that completes commands and options; also zsh, tcsh

What is typed daily goes into a file: riskmodel report --config desk.toml.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; by default those of the process.

    Returns
    -------
    int
        The exit status: 0, 2 for bad input, 130 if interrupted, 141 if the reader of the output went away.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # replace characters that the terminal cannot print
        sys.stdout.reconfigure(errors="replace")
    try:
        with _stdout():
            _run(sys.argv[1:] if argv is None else list(argv))
    except BrokenPipeError:
        _silence_stdout()
        return _BROKEN_PIPE
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (RiskModelError, RiskModelWarning, OSError) as error:
        tell(f"riskmodel: {_one_message(error)}")
        return _BAD_INPUT
    return 0


def _run(argv: list[str]) -> None:
    if argv[:1] == ["data"]:
        data_parser().parse_args(argv[1:])
        print_catalogue()
        return
    if argv[:1] == ["completion"]:
        completion_parser().parse_args(argv[1:])
        print_completion(argv[1], {name: _command(name).parser() for name in _COMMANDS})
        return
    if not argv or argv[0] not in _COMMANDS:
        _overview_parser().parse_args(argv)
    name, *rest = argv
    configured = any(item == "--config" or item.startswith("--config=") for item in rest)
    parsers = {other: _command(other).parser() for other in (_COMMANDS if configured else [name])}
    _command(name).run(parsed(name, parsers, rest))


def _command(name: str) -> ModuleType:
    """Import the module of a command, which has its `parser` and `run`."""
    return import_module(f"riskmodel.cli.{name.replace('-', '_')}")


def _overview_parser() -> argparse.ArgumentParser:
    from riskmodel import __version__  # noqa: PLC0415 - the root imports what is below it first

    parser = Parser(
        "riskmodel", description=_OVERVIEW, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"riskmodel {__version__}")
    parser.add_argument("command", choices=[*_COMMANDS, "data", "completion"], help="what to do")
    return parser


# -- the end ---------------------------------------------------------------------------------------


def _one_message(error: Exception) -> str:
    if isinstance(error, RiskModelWarning):
        return notices.refusal(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return as_options(str(error))


@contextlib.contextmanager
def _stdout() -> Iterator[None]:
    """Flush what is printed; name the place where that fails, such as on a full disk."""
    try:
        yield
        if sys.stdout is not None:  # None if the caller closed it
            sys.stdout.flush()
    except OSError as error:
        # of a stream, and of no file that was opened
        if isinstance(error, RiskModelError | BrokenPipeError) or error.filename is not None or error.errno is None:
            raise
        _silence_stdout()
        raise OSError(error.errno, error.strerror, "standard output") from error


def _silence_stdout() -> None:
    """Redirect stdout to the null device, because Python flushes it again at exit."""
    with contextlib.suppress(OSError, ValueError):  # stdout is not a file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
