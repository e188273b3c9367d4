"""A busy carrier: many connections at once, and each delivery again until it is acknowledged."""

import base64
import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from support.house import BASIC, Tenant
from support.payloads import bandwidth_inbound
from support.wire import HalfAnswer, NoAnswer, Wire

CREDENTIAL = {
    "Authorization": "Basic " + base64.b64encode(":".join(BASIC).encode()).decode(),
    "Content-Type": "application/json",
}
#: Longer than anything here takes; only a test that hangs sees it.
PATIENCE_SECONDS = 60


class GivenUp(Exception):
    """The test ended before this was acknowledged."""


class Delivery(NamedTuple):
    """One request; `texts` are the bodies of the messages in it, which no other delivery has."""

    texts: tuple[str, ...]
    body: bytes


class Target:
    """Where to deliver. While it is not `up`, everybody who wants to deliver waits."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.up = threading.Event()
        self.up.set()


def deliveries(name: str, count: int, to: str, *, batch_every: int = 0, senders: int = 1) -> Iterator[Delivery]:
    """`count` deliveries of one text each, of so many senders in turn; every `batch_every`-th one is a batch of three."""
    for index in range(count):
        size = 3 if batch_every and index % batch_every == 0 else 1
        texts = tuple(f"{name}-{index:05}-{part}" for part in range(size))
        sender = f"+1555444{3333 + index % senders}"
        events = [bandwidth_inbound(f"bw-{text}", to, text=text, sender=sender) for text in texts]
        yield Delivery(texts, json.dumps(events).encode())


class Carrier:
    """Delivers everything it is given to the tenant's webhook at the targets in turn; 200 and 503 are the only answers.

    It begins when it is entered, and gives up what is left when that is left. `sent` and `acknowledged` are texts;
    `answers` counts statuses.
    """

    def __init__(
        self, tenant: Tenant, targets: Sequence[Target], work: Iterable[Delivery], *, connections: int = 32
    ) -> None:
        self._tenant, self._targets, self._work = tenant, targets, list(work)
        self.sent = {text for delivery in self._work for text in delivery.texts}
        self.answers: Counter[int] = Counter()
        self.half_answers: list[str] = []
        self._acknowledged: set[str] = set()
        self._given_up = False
        self._changed = threading.Condition()
        self._pool = ThreadPoolExecutor(connections, thread_name_prefix="carrier")
        self._connections = connections
        self._running: list[Future[None]] = []

    def __enter__(self) -> "Carrier":
        shares = [self._work[index :: self._connections] for index in range(self._connections)]
        self._running = [self._pool.submit(self._deliver_all, index, share) for index, share in enumerate(shares)]
        return self

    def __exit__(self, *_: object) -> None:
        self._given_up = True
        self._pool.shutdown()

    def acknowledged(self) -> set[str]:
        """What has been acknowledged so far."""
        with self._changed:
            return set(self._acknowledged)

    def wait_until(self, count: int) -> None:
        """Return once `count` texts are acknowledged. Raises what went wrong meanwhile."""
        with self._changed:
            enough = self._changed.wait_for(
                lambda: len(self._acknowledged) >= count or self._failed(), timeout=PATIENCE_SECONDS
            )
            assert enough, f"only {len(self._acknowledged)} of {count} texts were acknowledged: {self.answers}"
        if self._failed():
            self.finish()

    def finish(self) -> None:
        """Return once all is acknowledged. Raises what went wrong."""
        for future in self._running:
            future.result(PATIENCE_SECONDS)

    def _failed(self) -> bool:
        return any(future.done() and future.exception() for future in self._running)

    def _deliver_all(self, index: int, share: Sequence[Delivery]) -> None:
        wires = [Wire(target.base_url) for target in self._targets]
        try:
            for turn, delivery in enumerate(share, start=index):
                place = turn % len(wires)
                self._until_acknowledged(self._targets[place], wires[place], delivery)
                with self._changed:
                    self._acknowledged.update(delivery.texts)
                    self._changed.notify_all()
        finally:
            for wire in wires:
                wire.close()
            with self._changed:
                self._changed.notify_all()

    def _until_acknowledged(self, target: Target, wire: Wire, delivery: Delivery) -> None:
        while not self._given_up:
            assert target.up.wait(PATIENCE_SECONDS), "the server did not come back"
            try:
                answer = wire.post(self._tenant.webhook, delivery.body, CREDENTIAL)
            except HalfAnswer as error:
                self.half_answers.append(str(error))
                continue
            except NoAnswer:
                continue
            with self._changed:
                self.answers[answer.status] += 1
            if answer.status == 200:
                return
            assert answer.status == 503, answer
        raise GivenUp
