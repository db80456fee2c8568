"""``riskmodel data``: what a source has."""

from __future__ import annotations

import textwrap

from riskmodel.cli.parser import Parser
from riskmodel.data.french.provider import FamaFrench


def data_parser() -> Parser:
    """Return the parser of the command."""
    parser = Parser("riskmodel data", description="List the data sets of a source.", allow_abbrev=False)
    parser.add_argument("source", choices=["french"], help="french: Kenneth R. French's data library")
    return parser


def print_catalogue() -> None:
    """Print the data sets of the French library, without fetching anything."""
    for kind, sets in FamaFrench.catalogue().groupby("kind", sort=False):
        print(f"{str(kind).upper()}\n")
        for name, row in sets.iterrows():
            horizons = " ".join(h for h in ("day", "week", "month") if row[h])
            said = f"{row['title']}: {row['series']}" if row["series"] else row["title"]
            print(f"{name:<50}  {horizons}\n{textwrap.indent(textwrap.fill(said, 75, break_on_hyphens=False), '    ')}")
        print()
