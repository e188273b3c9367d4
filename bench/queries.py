"""Single queries: deep pages, and a million rows against a thousand. One connection, so that time is what one takes."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple
from urllib.parse import urlencode

from bench import seed
from bench.places import Place, Places
from bench.report import Section, Table, Target
from bench.rounds import Figure, Measure, interleaved
from bench.scale import FEW_ROWS, WARM_UP, Scale
from bench.seed import Inbox
from bench.servers import Server
from bench.tenants import Line, furnish, reading
from bench.worker import Worker
from roost.api.agentmessage import DEFAULT_LIMIT, ListRequest
from roost.core.ids import FIRST_ID
from roost.core.paging import encode_cursor
from roost.core.times import rfc3339
from roost.store.base import Store
from roost.store.listing import id_text

AT_MOST = 1.2
UNKNOWN_ID = FIRST_ID.replace("0", "1")


class Case(NamedTuple):
    """One question; `count` is how many messages must be in the answer, so that like is compared with like."""

    name: str
    path: str
    headers: dict[str, str]
    count: int


def a(name: str, inbox: Inbox, count: int = DEFAULT_LIMIT, **query: str) -> Case:
    """A question to dialect A."""
    return Case(f"A: {name}", f"/v1/inbound-messages?{urlencode(query)}", inbox.tenant.key_header, count)


def b(name: str, line: Line, count: int = 50, **query: str) -> Case:
    """A question to dialect B."""
    return Case(f"B: {name}", f"/v1/tools/sms/inbox?{urlencode(query)}", {"X-Agent-ID": line.wallet}, count)


def filters(inbox: Inbox) -> list[Case]:
    """Each filter with a value that matches and with one that matches nothing."""
    tenant = inbox.tenant
    busy, quiet = tenant.busy, tenant.quiet
    middle, future = rfc3339(inbox.time_of(inbox.count // 2)), rfc3339(inbox.newest_us + 1)
    regular = seed.REGULARS[5]  # writes to the busy agent only
    return [
        a("no filter", inbox),
        a("from a regular", inbox, **{"from": regular}),
        a("from nobody known", inbox, 0, **{"from": seed.STRANGER}),
        a("to a number", inbox, to=busy.number),
        a("to no number of ours", inbox, 0, to=seed.STRANGER),
        a("phone_number_id", inbox, phone_number_id=busy.phone_number_id),
        a("phone_number_id, unknown", inbox, 0, phone_number_id=UNKNOWN_ID),
        a("channel=sms, all are", inbox, channel="sms"),
        a("channel=mms, none is", inbox, 0, channel="mms"),
        a("opt_out=false, none is", inbox, opt_out="false"),
        a("opt_out=true, none is", inbox, 0, opt_out="true"),
        a("since the middle", inbox, since=middle),
        a("since the future", inbox, 0, since=future),
        b("no filter", busy),
        b("from a regular", busy, 25, **{"from": regular, "limit": "25"}),
        b("from nobody known", busy, 0, **{"from": seed.STRANGER}),
        b("since the middle", busy, since=middle),
        b("since the future", busy, 0, since=future),
        b("quiet agent", quiet, seed.QUIET_MESSAGES),
        b("quiet agent, since before its newest", quiet, 1, since=rfc3339(inbox.newest_quiet_us - 1)),
        b("quiet agent, from the busy one's regular", quiet, 0, **{"from": regular}),
        a("quiet agent's number", inbox, seed.QUIET_MESSAGES, to=quiet.number),
    ]


def polling(inbox: Inbox) -> list[Case]:
    """Asking again when nothing new came. A's `since` is inclusive, so that it repeats the newest one."""
    newest = rfc3339(inbox.newest_us)
    return [
        a("since = newest", inbox, 1, since=newest),
        a("after = newest", inbox, 0, after=inbox.newest_id),
        b("since = newest", inbox.tenant.busy, 0, since=newest),
        b("quiet agent, since = its newest", inbox.tenant.quiet, 0, since=rfc3339(inbox.newest_quiet_us)),
    ]


class Seeded(NamedTuple):
    """A running server over one organization's many or few messages."""

    place: Place
    server: Server
    inbox: Inbox


def start(running: ExitStack, places: Places, count: int) -> Seeded:
    place = places.new()
    [tenant] = place.run(lambda store: furnish(store, 1))
    inbox = seed.plan(tenant, count)
    seed.load(place, [inbox])
    return Seeded(place, running.enter_context(Server("counted", place)), inbox)


def compare(
    kind: str, many: Seeded, few: Seeded, cases: Callable[[Inbox], list[Case]], load: Worker, scale: Scale
) -> tuple[list[tuple[str, Figure, Figure]], Target]:
    """Each case on few rows and on many, and the worst of their ratios."""
    pairs = list(zip(cases(few.inbox), cases(many.inbox), strict=True))
    measures: dict[tuple[str, bool], Measure] = {}
    for on_few, on_many in pairs:
        measures[on_few.name, False] = _measure(few.server, on_few, load, scale)
        measures[on_many.name, True] = _measure(many.server, on_many, load, scale)
    figures = interleaved(measures, scale.query_rounds)
    compared = [(case.name, figures[case.name, False], figures[case.name, True]) for case, _ in pairs]
    worst = max(compared, key=lambda row: row[2].p50_ms / row[1].p50_ms)
    return compared, _target(kind, worst)


def deep_page(kind: str, many: Seeded, load: Worker, scale: Scale) -> tuple[Section, list[Target]]:
    """Page 1 against a page far down."""
    cursor = many.place.run(lambda store: _cursor_before(store, many.inbox.tenant.org_id, scale.page))
    first, deep = a("page 1", many.inbox), a(f"page {scale.page:,}", many.inbox, cursor=cursor)
    measures = {case.name: _measure(many.server, case, load, scale) for case in (first, deep)}
    figures = interleaved(measures, scale.query_rounds * 2)
    target = Target(
        f"deep page, {kind}: page {scale.page:,} / page 1",
        figures[deep.name].p50_ms / figures[first.name].p50_ms,
        AT_MOST,
        at_most=True,
    )
    rows = [(name, f"{figure.p50_ms:.3f}", f"{figure.p99_ms:.3f}") for name, figure in figures.items()]
    rows.append((f"{target.value:.2f} (target <= {AT_MOST}): {target.verdict}", "", ""))
    lead = f"{DEFAULT_LIMIT} messages a page, of {many.inbox.count:,} in one organization; one connection."
    return Section(f"Deep page, {kind}", lead, [Table(("", "p50 ms", "p99 ms"), rows)]), [target]


def _cursor_before(store: Store, org_id: str, page: int):  # type: ignore[no-untyped-def]
    ...


def _measure(server: Server, case: Case, load: Worker, scale: Scale) -> Measure:
    answer = server.get(case.path, case.headers)
    count = len(answer["data"] if "data" in answer else answer["messages"])
    if count != case.count:
        raise RuntimeError(f"{case.name}: {count} messages in the answer, not {case.count}")
    question = {"port": server.port, "connections": 1, "requests": [reading(case.path, case.headers)]}

    def measured() -> Figure:
        answer = load.ask({**question, "warm_up": scale.query_seconds / 4, "seconds": scale.query_seconds})
        return Figure(answer["per_second"], answer["p50_ms"], answer["p99_ms"])

    return measured
