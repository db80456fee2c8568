"""``riskmodel completion``: a script that completes commands and options in a shell."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from riskmodel.cli.parser import Parser
from riskmodel.errors import MissingExtraError

_SHELLS = ("bash", "zsh", "tcsh")
_DESCRIPTION = """\
Print a script that completes the commands and options of riskmodel.

  bash   riskmodel completion bash > ~/.local/share/bash-completion/completions/riskmodel
  zsh    riskmodel completion zsh > DIR/_riskmodel, in a folder DIR of $fpath
  tcsh   riskmodel completion tcsh > ~/.riskmodel.completion, which .tcshrc sources
"""


def completion_parser() -> Parser:
    """Return the parser of the command."""
    parser = Parser(
        "riskmodel completion",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("shell", choices=_SHELLS, help="the shell")
    return parser


def print_completion(shell: str, commands: Mapping[str, Parser]) -> None:
    """Print the script for a shell.

    Raises
    ------
    MissingExtraError
        If shtab is not installed.
    """
    try:
        import shtab  # noqa: PLC0415 - optional
    except ImportError as error:
        raise MissingExtraError.of("completion in a shell", "shtab", "completion") from error
    root = argparse.ArgumentParser("riskmodel")
    root.add_argument("--version", action="store_true", help="print the version")
    parts = root.add_subparsers()
    for name, parser in commands.items():
        for action in parser._actions:
            if action.metavar in {"FILE", "RETURNS", "FOLDER", "DIR"}:
                setattr(action, "complete", shtab.FILE)  # noqa: B010 - how shtab is told
        parts.add_parser(name, parents=[parser], add_help=False, help=f"riskmodel {name}")
    parts.add_parser("data", help="data sets of a source").add_argument("source", choices=["french"])
    print(shtab.complete(root, shell))
