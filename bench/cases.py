"""The questions that are asked of few rows and of many."""

from typing import NamedTuple
from urllib.parse import urlencode

from bench import seed
from bench.seed import Inbox
from bench.tenants import Line
from roost.api.agentmessage import DEFAULT_LIMIT
from roost.core.times import rfc3339

UNKNOWN_ID = "11111111-1111-4111-8111-111111111111"


class Case(NamedTuple):
    """One question; `expected` is how many messages must be in the answer, so that like is compared with like."""

    name: str
    path: str
    headers: dict[str, str]
    expected: int


def a(name: str, inbox: Inbox, expected: int = DEFAULT_LIMIT, **query: str) -> Case:
    """A question to dialect A."""
    return Case(f"A: {name}", f"/v1/inbound-messages?{urlencode(query)}", inbox.tenant.key_header, expected)


def b(name: str, line: Line, expected: int = 50, **query: str) -> Case:
    """A question to dialect B."""
    return Case(f"B: {name}", f"/v1/tools/sms/inbox?{urlencode(query)}", {"X-Agent-ID": line.wallet}, expected)


def filters(inbox: Inbox) -> list[Case]:
    """Each filter with a value that matches and with one that matches nothing."""
    tenant = inbox.tenant
    busy, quiet = tenant.busy, tenant.quiet
    middle, future = rfc3339(inbox.time_of(inbox.total // 2)), rfc3339(inbox.newest_us + 1)
    regular = seed.REGULARS[5]  # writes to the busy agent only
    return [
        a("no filter", inbox),
        a("from a regular", inbox, DEFAULT_LIMIT, **{"from": regular}),
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
