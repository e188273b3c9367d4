"""Usage on the page: messages and segments of each day, of all numbers or of one, drawn by the server."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from roost.store.base import Store
from roost.store.indexing import DAY_US, Usage, usage_since
from roost.web.door import Door
from roost.web.frame import Frame

READ = "messages:read"
DAYS = 30
_WIDTH, _HEIGHT, _GAP = 720, 180, 0.25


class Bar(NamedTuple):
    """A day of a chart, in its coordinates: what went stands on what came."""

    x: float
    width: float
    came_y: float
    came_height: float
    went_y: float
    went_height: float
    label: str


class Chart(NamedTuple):
    """A chart; `top` is what its height stands for."""

    title: str
    bars: list[Bar]
    top: int
    total: int


class DayRow(NamedTuple):
    """A day in the table."""

    name: str
    inbound: int
    inbound_segments: int
    outbound: int
    outbound_segments: int


class UsagePage:
    """The handler over one store."""

    def __init__(self, store: Store, frame: Frame, door: Door) -> None:
        self._store = store
        self._frame = frame
        self._door = door

    async def show(self, request: Request) -> Response:
        """The last 30 days (UTC), of the number that `number` asks for."""
        session = await self._door.session(request, READ)
        today = self._store.clock() // DAY_US
        found = await usage_since(self._store, session.org_id, today - DAYS + 1)
        number = request.query_params.get("number", "")
        days = [_day(found, day, number) for day in range(today - DAYS + 1, today + 1)]
        charts = [
            _chart("Messages", [(day.name, day.inbound, day.outbound) for day in days]),
            _chart("Segments", [(day.name, day.inbound_segments, day.outbound_segments) for day in days]),
        ]
        numbers = sorted({each.number for each in found} | ({number} if number else set()))
        return await self._frame.page(
            "usage.html", session, "usage", charts=charts, days=days[::-1], numbers=numbers, chosen=number,
            width=_WIDTH, height=_HEIGHT,
        )  # fmt: skip


def _day(found: Iterable[Usage], day: int, number: str) -> DayRow:
    of_day = [each for each in found if each.day == day and number in ("", each.number)]
    moment = datetime.fromtimestamp(day * DAY_US // 1_000_000, UTC)
    sums = [sum(counts) for counts in zip(*(each[2:] for each in of_day), strict=True)] or [0, 0, 0, 0]
    return DayRow(f"{moment:%b} {moment.day}", *sums)


def _chart(title: str, days: list[tuple[str, int, int]]) -> Chart:
    top = _round_up(max(came + went for _, came, went in days))
    step, bars = _WIDTH / len(days), []
    for nth, (name, came, went) in enumerate(days):
        heights = [count / top * _HEIGHT for count in (came, went)]
        label = f"{name}: {came:,} in, {went:,} out"
        x, width = (nth + _GAP / 2) * step, (1 - _GAP) * step
        came_y = _HEIGHT - heights[0]
        bars.append(Bar(round(x, 1), round(width, 1), round(came_y, 1), round(heights[0], 1),
                        round(came_y - heights[1], 1), round(heights[1], 1), label))  # fmt: skip
    return Chart(title, bars, top, sum(came + went for _, came, went in days))


def _round_up(most: int) -> int:
    """The next of 10, 20, 50, 100, ...: what people read at a glance."""
    top = 10
    while top < most:
        top = top * 5 // 2 if str(top).startswith("2") else top * 2
    return top
