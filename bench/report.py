"""Tables of figures, each ratio with its target: as text, and as a Markdown page."""

from collections.abc import Sequence
from typing import NamedTuple

Row = Sequence[str]


class Table(NamedTuple):
    """Cells are text; the first column is the widest."""

    head: Row
    rows: Sequence[Row]


class Section(NamedTuple):
    title: str
    lead: str
    tables: list[Table]


class Target(NamedTuple):
    """A ratio that is to be reached: at least `bound`, or at most where `at_most`."""

    what: str
    value: float
    bound: float
    at_most: bool = False

    @property
    def reached(self) -> bool:
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    @property
    def verdict(self) -> str:
        return "ok" if self.reached else "MISSED"

    @property
    def row(self) -> Row:
        sign = "<=" if self.at_most else ">="
        # With a digit more where it was missed by less than one would see.
        digits = 3 if not self.reached and f"{self.value:.2f}" == f"{self.bound:.2f}" else 2
        return (self.what, f"{self.value:.{digits}f}", f"{sign} {self.bound:.2f}", self.verdict)


TARGET_HEAD = ("ratio", "measured", "target", "")


def plain(what: str, value: float) -> Row:
    """The row of a ratio without a target."""
    return (what, f"{value:.2f}", "", "")


def as_text(section: Section) -> str:
    """For a terminal."""
    tables = "\n\n".join(_aligned(table) for table in section.tables)
    return f"== {section.title}\n{section.lead}\n\n{tables}\n"


def as_markdown(section: Section) -> str:
    tables = "\n\n".join(map(_piped, section.tables))
    return f"## {section.title}\n\n{section.lead}\n\n{tables}\n"


def _aligned(table: Table) -> str:
    widths = [max(map(len, column)) for column in zip(table.head, *table.rows, strict=True)]
    lines = []
    for row in (table.head, ["-" * width for width in widths], *table.rows):
        # What a column without a name holds is no number.
        cells = [
            cell.rjust(width) if name and index else cell.ljust(width)
            for index, (name, cell, width) in enumerate(zip(table.head, row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _piped(table: Table) -> str:
    rule = ["--:" if name and index else "---" for index, name in enumerate(table.head)]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in (table.head, rule, *table.rows)
    )
