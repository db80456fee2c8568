"""What a report shows, as plain values: renderers read these, and nothing else of a report."""

from __future__ import annotations

from enum import Enum
from typing import final

from attrs import frozen

from riskmodel.report.drawing.figure import Figure
from riskmodel.report.hedge_form import HedgeForm

Row = tuple[str, ...]
LONG = 30
_MOST_ON_PAPER = 100


class Width(Enum):
    """How much of the width of a page something takes where there is room."""

    SMALL = "small"
    HALF = "half"
    WIDE = "wide"


class Place(Enum):
    """Where in a report a table stands."""

    FIRST = "first"
    MIDDLE = "middle"
    END = "end"


@final
@frozen
class Tile:
    """A figure of the first screen.

    Parameters
    ----------
    label : str
        What it is, with its unit.
    value : str
        The figure, with its interval.
    note : str
        Of what it is, in a few words.
    """

    label: str
    value: str
    note: str = ""


@final
@frozen
class Table:
    """A table of strings.

    Parameters
    ----------
    title : str
        What it shows.
    columns : tuple of str
        Headers, with units.
    rows : tuple of tuple of str
        Cells.
    words : tuple of int
        Positions of the columns that hold words, not numbers.
    width : Width
        On a page.
    note : str
        How to read it.
    hidden : int
        How many rows were left out.
    place : Place
        In the report; long ones at its end can be sorted and filtered on a page.
    """

    title: str
    columns: Row
    rows: tuple[Row, ...]
    words: tuple[int, ...] = (0,)
    width: Width = Width.HALF
    note: str = ""
    hidden: int = 0
    place: Place = Place.MIDDLE

    @property
    def is_long(self) -> bool:
        """Whether it has more rows than a reader looks through."""
        return len(self.rows) > LONG

    @property
    def is_printed(self) -> bool:
        """Whether paper has room for it; the page then says what is left out."""
        return self.place is not Place.END or len(self.rows) <= _MOST_ON_PAPER


@final
@frozen(eq=False)
class Picture:
    """A figure on a page.

    Parameters
    ----------
    heading : str
        Its title.
    about : str
        What it shows, in words: the caption, and the description for readers who cannot see it.
    figure : Figure
        The picture.
    width : Width
        On a page.
    """

    heading: str
    about: str
    figure: Figure
    width: Width = Width.HALF


@final
@frozen(eq=False)
class Document:
    """A report, ready for a renderer. All text is plain: a renderer escapes it.

    Parameters
    ----------
    heading : str
        What kind of report it is.
    subject : str
        What it is on; the title of a page has both.
    warnings : tuple of str
        What a reader must know first, a few sentences each.
    terms : tuple of (str, str)
        Words that the tables use, each with its meaning.
    tiles : tuple of Tile
        The first figures.
    hedge : HedgeForm, optional
        What a page needs to hedge by itself.
    line : tuple of str
        What a page says below its heading: as of when, from where, made by what.
    facts : tuple of (str, str)
        Name and value, line by line.
    tables : tuple of Table
        In order.
    pictures : tuple of Picture
        In order; a terminal shows none.
    notes : tuple of str
        What a reader should know, a sentence or two each.
    """

    heading: str
    subject: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    terms: tuple[tuple[str, str], ...] = ()
    tiles: tuple[Tile, ...] = ()
    hedge: HedgeForm | None = None
    line: Row = ()

    def tables_at(self, place: Place) -> tuple[Table, ...]:
        """The tables that stand there, in order."""
        return tuple(table for table in self.tables if table.place is place)
