"""The inbox page: its list of threads over a hundred thousand of them, against a hundred. Answered, and painted."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

from playwright.sync_api import Page, sync_playwright
from tests.support.chromium import chromium_path

from bench import seed
from bench.places import Places
from bench.report import TARGET_HEAD, Section, Table, Target
from bench.rounds import Figure, Measure, interleaved
from bench.scale import Scale
from bench.servers import Server
from bench.tenants import furnish, reading
from bench.worker import Worker
from roost.core.scopes import SCOPES
from roost.store.base import Store
from roost.store.sessions import Sessions
from roost.web.door import COOKIE

AT_MOST = 1.3
#: Every other seeded message is a stranger's, who begins a thread.
MANY, FEW = 200_000, 200
_PAINTS = 15


class _Seeded:
    """A running server over one organization's threads, and the cookie of somebody who is signed in."""

    def __init__(self, running: ExitStack, places: Places, count: int) -> None:
        place = places.new()
        [tenant] = place.run(lambda store: furnish(store, 1))
        seed.load(place, [seed.plan(tenant, count)])

        async def sign_in(store: Store) -> str:
            sessions = Sessions(store)
            token, _ = await sessions.new_link(tenant.org_id, SCOPES)
            begun = await sessions.begin_by_link(token)
            assert begun is not None
            return begun.secret

        self.secret = place.run(sign_in)
        self.server = running.enter_context(Server("counted", place))

    def answering(self, load: Worker, scale: Scale) -> Measure:
        """How soon the page is there."""
        question = {
            "port": self.server.port,
            "connections": 1,
            "requests": [reading("/inbox", {"Cookie": f"{COOKIE}={self.secret}"})],
        }

        def measured() -> Figure:
            answer = load.ask({**question, "warm_up": scale.query_seconds / 4, "seconds": scale.query_seconds})
            return Figure(answer["per_second"], answer["p50_ms"], answer["p99_ms"])

        return measured

    def painting(self, page: Page) -> Callable[[], float]:
        """How soon something of it is seen, in milliseconds."""
        page.context.add_cookies([{"name": COOKIE, "value": self.secret, "url": f"{self.server.base_url}/inbox"}])

        def painted() -> float:
            page.goto(f"{self.server.base_url}/inbox")
            page.wait_for_selector(".heads .head")
            ms: float = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            return ms

        return painted


def measure(kind: str, places: Places, load: Worker, scale: Scale) -> tuple[Section, list[Target]]:
    """The figures of one database."""
    with ExitStack() as running:
        seeded = {f"{count // 2:,} threads": _Seeded(running, places, count) for count in (FEW, MANY)}
        answers = interleaved({name: each.answering(load, scale) for name, each in seeded.items()}, scale.query_rounds)
        paints = _painted(seeded)
    few, many = seeded
    middle = {name: median(found) for name, found in paints.items()}
    ratios = {"answer": answers[many].p50_ms / answers[few].p50_ms}
    rows = [(f"{name}, answered", f"{figure.p50_ms:.2f}", f"{figure.p99_ms:.2f}") for name, figure in answers.items()]
    if middle:
        ratios["first paint"] = middle[many] / middle[few]
        rows += [(f"{name}, first paint", f"{ms:.1f}", f"{max(paints[name]):.1f}") for name, ms in middle.items()]
    targets = [
        Target(f"inbox, {kind}: {what}, {many} / {few}", ratio, AT_MOST, at_most=True) for what, ratio in ratios.items()
    ]
    lead = "The list of threads, to somebody who is signed in: the answer, and the first paint in Chromium, if there is one."
    tables = [Table(("", "p50 ms", "p99 or longest ms"), rows), Table(TARGET_HEAD, [target.row for target in targets])]
    return Section(f"Inbox page, {kind}", lead, tables), targets


def _painted(seeded: dict[str, _Seeded]) -> dict[str, list[float]]:
    """In turns, each in a window of its own, after one that does not count; empty without a browser."""
    with _window_each(list(seeded)) as pages:
        painting = {name: seeded[name].painting(page) for name, page in pages.items()}
        return _in_turns(painting)


def _in_turns(painting: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in painting}
    for turn in range(_PAINTS + 1):
        for name, paint in painting.items():
            ms = paint()
            if turn:
                found[name].append(ms)
    return found


@contextmanager
def _window_each(names: list[str]) -> Iterator[dict[str, Page]]:
    path = chromium_path()
    if path is None:
        yield {}
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield {name: browser.new_context().new_page() for name in names}
        browser.close()
