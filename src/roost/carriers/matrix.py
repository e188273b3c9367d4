"""What each carrier can do, as a table for `docs/carriers.md`, from the carriers themselves: `python -m roost.carriers.matrix`.

With the path of a file, the table that stands between its two marks is replaced.
"""

import sys
from pathlib import Path

from roost.carriers.contract import Carrier
from roost.carriers.registry import CARRIERS
from roost.core.account import CarrierAccount

BEGIN, END = "<!-- matrix: made by python -m roost.carriers.matrix docs/carriers.md -->", "<!-- end of matrix -->"
_HEAD = (
    "carrier", "calls by", "to receive, it takes", "to send, it takes", "optional", "several good at once",
    "answers STOP itself", "tells who opted out", "back-fill",
)  # fmt: skip
_LOCAL, _TOLL_FREE = "+12125550123", "+18005550123"


def matrix() -> str:
    """The table, in Markdown."""
    rows = [_HEAD, ("---",) * len(_HEAD), *(_row(carrier) for _, carrier in sorted(CARRIERS.items()))]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def with_matrix(page: str) -> str:
    """The page with the table of now between its marks. Raises ValueError where they are missing."""
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError("the page has no marks for the table")
    return f"{before}{BEGIN}\n\n{matrix()}\n\n{END}{after}"


def _row(carrier: Carrier) -> tuple[str, ...]:
    options = {
        need: ", ".join(f"`--{field.name.replace('_', '-')}`" for field in carrier.FIELDS if field.needed == need)
        for need in ("receive", "send", "never")
    }
    rotating = [f"`--{field.name.replace('_', '-')}`" for field in carrier.FIELDS if field.rotates]
    bare = CarrierAccount("", "", carrier.NAME, {})
    return (
        f"[{carrier.NAME}](carriers/{carrier.NAME}.md)",
        ", ".join(sorted(carrier.METHODS)),
        options["receive"] or "nothing",
        options["send"] or "nothing",
        options["never"] or "-",
        ", ".join(rotating) or "-",
        _answers(carrier, bare),
        "yes" if carrier.OPTED_OUT_CODES else "no",
        "yes" if carrier.backfill is not None else "no",
    )


def _answers(carrier: Carrier, account: CarrierAccount) -> str:
    if carrier.answers_opt_outs(_LOCAL, account):
        return "yes"
    return "on toll-free numbers" if carrier.answers_opt_outs(_TOLL_FREE, account) else "no"


def _main(paths: list[str]) -> None:
    if not paths:
        sys.stdout.write(matrix() + "\n")
    for path in map(Path, paths):
        path.write_text(with_matrix(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    _main(sys.argv[1:])
