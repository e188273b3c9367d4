"""Single queries: deep pages, and a million rows against a thousand. One connection, so that time is what one takes.

Each is asked of the database: a page that SQLite remembers is no query.
"""

from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple
from uuid import UUID

from bench import seed
from bench.cases import Case, a, filters, polling
from bench.places import Place, Places
from bench.report import TARGET_HEAD, Section, Table, Target
from bench.rounds import Figure, Measure, middle, taken_in_turns, times_as_long
from bench.scale import Scale
from bench.seed import Inbox
from bench.servers import Server
from bench.tenants import furnish, reading
from bench.worker import Worker
from roost.api.agentmessage import DEFAULT_LIMIT, LIST, parse_list
from roost.api.listing import CURSOR_KEY
from roost.core.ids import id_text
from roost.store.base import Store

AT_MOST = 1.2

_OFFSET_SQL = "SELECT id FROM inbound_messages WHERE org_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2"


class Seeded(NamedTuple):
    """A running server over one organization's messages."""

    place: Place
    server: Server
    inbox: Inbox


def start(running: ExitStack, places: Places, count: int) -> Seeded:
    """So many messages, until the end of `running`."""
    place = places.new()
    [tenant] = place.run(lambda store: furnish(store, 1))
    inbox = seed.plan(tenant, count)
    seed.load(place, [inbox])
    return Seeded(place, running.enter_context(Server("forgetful", place)), inbox)


def deep_page(kind: str, many: Seeded, load: Worker, scale: Scale) -> tuple[Section, list[Target]]:
    """Page 1 against a page far down."""
    cursor = many.place.run(lambda store: _cursor(store, many.inbox.tenant.org_id, scale.page))
    first, deep = a("page 1", many.inbox), a(f"page {scale.page:,}", many.inbox, cursor=cursor)
    measures = {case.name: _measure(many.server, case, load, scale) for case in (first, deep)}
    taken = taken_in_turns(measures, scale.query_rounds * 2)
    ratio = times_as_long(taken[deep.name], taken[first.name])
    target = Target(f"deep page, {kind}: page {scale.page:,} / page 1", ratio, AT_MOST, at_most=True)
    figures = {name: middle(rounds) for name, rounds in taken.items()}
    rows = [(name, f"{figure.p50_ms:.3f}", f"{figure.p99_ms:.3f}") for name, figure in figures.items()]
    lead = f"{DEFAULT_LIMIT} messages a page, of {many.inbox.total:,} in one organization; one connection."
    tables = [Table(("", "p50 ms", "p99 ms"), rows), Table(TARGET_HEAD, [target.row])]
    return Section(f"Deep page, {kind}", lead, tables), [target]


def many_rows(kind: str, many: Seeded, few: Seeded, load: Worker, scale: Scale) -> tuple[Section, list[Target]]:
    """Each filter."""
    lead = (
        "Each filter with a value that matches and one that matches nothing, and a quiet agent, which has "
        f"{seed.QUIET_MESSAGES} messages in an organization with all the others; one connection."
    )
    return _compare(f"{many.inbox.total:,} rows, {kind}", lead, (few, many), filters, load, scale)


def idle_polling(kind: str, many: Seeded, few: Seeded, load: Worker, scale: Scale) -> tuple[Section, list[Target]]:
    """Asking again when nothing came."""
    lead = "Asking again when nothing new came. A's `since` is inclusive, so that it repeats the newest message."
    return _compare(f"idle polling, {kind}", lead, (few, many), polling, load, scale)


def _compare(
    title: str,
    lead: str,
    both: tuple[Seeded, Seeded],
    cases: Callable[[Inbox], list[Case]],
    load: Worker,
    scale: Scale,
) -> tuple[Section, list[Target]]:
    few, many = both
    measures: dict[tuple[str, int], Measure] = {}
    for asked in zip(cases(few.inbox), cases(many.inbox), strict=True):
        for seeded, case in zip(both, asked, strict=True):
            measures[case.name, seeded.inbox.total] = _measure(seeded.server, case, load, scale)
    taken = taken_in_turns(measures, scale.query_rounds)
    rows, targets = [], []
    for name in dict.fromkeys(name for name, _ in taken):
        on_few, on_many = taken[name, few.inbox.total], taken[name, many.inbox.total]
        target = Target(f"{title}: worst, {name}", times_as_long(on_many, on_few), AT_MOST, at_most=True)
        rows.append((name, _times(on_few), _times(on_many), *target.row[1:]))
        targets.append(target)
    head = ("p50 (p99), ms", f"{few.inbox.total:,} rows", f"{many.inbox.total:,} rows", *TARGET_HEAD[1:])
    worst = max(targets, key=lambda target: target.value)
    return Section(title[0].upper() + title[1:], lead, [Table(head, rows)]), [worst]


def _times(figures: list[Figure]) -> str:
    _, p50, p99 = middle(figures)
    return f"{p50:.3f} ({p99:.3f})"


async def _cursor(store: Store, org_id: str, page: int) -> str:
    """What the page before this one would have given as `next_cursor`."""
    rows = await store.fetch(_OFFSET_SQL, UUID(org_id), (page - 1) * DEFAULT_LIMIT - 1)
    return parse_list(b"").cursor_after(store.vault.derive(CURSOR_KEY), LIST, org_id, id_text(rows[0][0]))


def _measure(server: Server, case: Case, load: Worker, scale: Scale) -> Measure:
    answer = server.get(case.path, case.headers)
    count = len(answer["data"] if "data" in answer else answer["messages"])
    if count != case.expected:
        raise RuntimeError(f"{case.name}: {count} messages in the answer, not {case.expected}")
    question = {"port": server.port, "connections": 1, "requests": [reading(case.path, case.headers)]}

    def measured() -> Figure:
        answer = load.ask({**question, "warm_up": scale.query_seconds / 4, "seconds": scale.query_seconds})
        return Figure(answer["per_second"], answer["p50_ms"], answer["p99_ms"])

    return measured
