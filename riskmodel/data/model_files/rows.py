"""Rows of delimited text with a header, comments and a footer, as risk models are delivered."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from attrs import frozen

from riskmodel._core import labels
from riskmodel._core.atomic import write_atomically
from riskmodel.data.files.content import as_text, read_content
from riskmodel.data.files.lines import fields, read_lines, split
from riskmodel.errors import DuplicateLabelsError, InvalidParameterError, LayoutError

T = TypeVar("T")
# How comments begin; some deliveries begin the header so, too.
_MARKS = ("#", "!")
# How a footer such as [End of File] begins.
_FOOTER = "["
_SEPARATORS = ("|", "\t", ";", ",")


@frozen(eq=False)
class Rows:
    """The rows of one file.

    Attributes
    ----------
    path : Path
        The file.
    said : mapping
        What its comments of the form ``# key: value`` say.
    names : tuple of str
        Of its columns, as the caller calls them.
    written : tuple of str
        The same as the file has them.
    cells : list
        The number of each line, and its cells.
    """

    path: Path
    said: Mapping[str, str]
    names: tuple[str, ...]
    written: tuple[str, ...]
    cells: Sequence[tuple[int, Sequence[str]]]

    @classmethod
    def read(cls, path: Path, first: str, renamed: Mapping[str, str]) -> Rows:
        """Read a file whose header begins with the column `first`, after the columns are renamed."""
        lines = read_lines(as_text(path, read_content(path)))
        said: dict[str, str] = {}
        for i, (_, line) in enumerate(lines):
            separator = next((s for s in _SEPARATORS if s in line), ",")
            text = line.lstrip("".join(_MARKS)).strip()
            written = tuple(fields(text, separator))
            names = [renamed.get(n, n) for n in written]
            if first in names:
                return cls(path, said, cls._unique(path, names), written, _body(path, lines[i + 1 :], separator, names))
            if not line.startswith(_MARKS):
                break
            key, _, value = text.partition(":")
            said[key.strip()] = value.strip()
        raise LayoutError(
            f"expected a header with a column {first!r} in {path}, got none; name the columns with "
            f"columns={{'its name': {first!r}, ...}}.",
            path=str(path),
            column=first,
        )

    @staticmethod
    def _unique(path: Path, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(labels.unique(names, f"the columns of {path}").tolist())

    def has(self, name: str) -> bool:
        """Whether there is a column."""
        return name in self.names

    def column(self, name: str) -> list[str]:
        """The cells of a column."""
        if name not in self.names:
            raise LayoutError(
                f"expected a column {name!r} in {self.path}, got {labels.listing(self.written)}; name the columns with "
                f"columns={{'its name': {name!r}, ...}}.",
                path=str(self.path),
                column=name,
            )
        at = self.names.index(name)
        return [cells[at] for _, cells in self.cells]

    def values(self, name: str, read: Any) -> list[Any]:
        """The cells of a column, each read by a function that raises `ValueError`."""
        texts = self.column(name)
        values = []
        for (number, _), text in zip(self.cells, texts, strict=True):
            try:
                values.append(read(text))
            except (ValueError, KeyError) as error:
                raise self.error(number, name, f"a number, got {text!r}") from error
        return values

    def by_label(self, name: str, label: str, read: Any) -> dict[str, Any]:
        """A column by the labels of another, which occur once."""
        keys = self.column(label)
        self.require_once(keys, label)
        return dict(zip(keys, self.values(name, read), strict=True))

    def require_once(self, keys: Iterable[Any], what: str) -> None:
        """Raise for labels that occur twice."""
        seen: set[Any] = set()
        for (number, _), key in zip(self.cells, keys, strict=True):
            if key == "":
                raise self.error(number, what, "a label, got an empty cell")
            if key in seen:
                raise DuplicateLabelsError(
                    f"{self.path}, line {number}: expected each {what} once, got {key} again; remove a row.",
                    path=str(self.path),
                    line=number,
                    labels=[key],
                )
            seen.add(key)

    def error(self, number: int, column: str, expected: str) -> LayoutError:
        """Make the error of a cell."""
        return LayoutError(
            f"{self.path}, line {number}, column {column!r}: expected {expected}; mend it.",
            path=str(self.path),
            line=number,
            column=column,
        )


def _body(
    path: Path, lines: Sequence[tuple[int, str]], separator: str, names: Sequence[str]
) -> list[tuple[int, Sequence[str]]]:
    rows: list[tuple[int, Sequence[str]]] = []
    for number, line in lines:
        if line.startswith((*_MARKS, _FOOTER)):
            continue
        cells = split(path, number, line, separator)
        if len(cells) != len(names):
            raise LayoutError(
                f"{path}, line {number}: expected {len(names)} columns as in the header, got {len(cells)}; mend it.",
                path=str(path),
                line=number,
            )
        rows.append((number, cells))
    return rows


def write_rows(
    path: Path, separator: str, said: Mapping[str, str], names: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """Write a file atomically."""
    text = io.StringIO()
    text.writelines(f"# {key}: {value}\n" for key, value in said.items())
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode("utf-8"))


def as_cell(label: Any, what: str) -> str:
    """Return a label as the text of a cell; raise for one that would return as another."""
    text = label if isinstance(label, str) else ""
    is_plain = text != "" and text == text.strip() and text.isprintable()
    if not is_plain or text.startswith((*_MARKS, _FOOTER)):
        raise InvalidParameterError(
            f"expected {what} labelled by printable text for a text file, got {label!r}; rename it, or use "
            "write_model_parquet or FactorModel.save.",
            what=what,
            label=label,
        )
    return text
