"""Never missed, never twice: readers that go on from the last thing they saw, and what is asked of each of them.

A way of reading is a `Reader`: its `read` gives what came since the last time, oldest first. A `Follower` calls it over and
over while messages arrive, and holds it to the promise.
"""

import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode

from roost.core.ids import FIRST_ID, parse_ulid
from support.receiver import Posted, Receiver
from support.sse import Ended, Refused, Sse
from support.wire import Answer, NoAnswer, Wire

#: What a reader who was given nothing leaves to the others before it asks again.
PAUSE_SECONDS = 0.002
#: How long a stream may be silent before the list is asked whether there is anything, and how long it may bring nothing then.
STREAM_PAUSE_SECONDS, STREAM_PATIENCE_SECONDS = 0.3, 30.0
#: A server that was killed leaves its work to another when its lease has run out, and what failed is tried again then.
WEBHOOK_PATIENCE_SECONDS = 90.0


class Seen(NamedTuple):
    """One message as a reader saw it; `id` is the canonical UUID in both dialects."""

    id: str
    received_at: str
    text: str
    sender: str = ""


class Reader(Protocol):
    def read(self) -> list[Seen]:
        """What came since the last time, oldest first; empty when there is nothing."""
        ...


class Record:
    """What one reader was given: each message once, at strictly increasing positions, at least of each `thread`."""

    def __init__(self, name: str, thread: Callable[[Seen], object] = lambda _: None) -> None:
        self.name = name
        self._thread = thread
        self._last: dict[object, Seen] = {}
        self.seen: list[Seen] = []

    def take(self, messages: Sequence[Seen]) -> None:
        for message in messages:
            last = self._last.get(self._thread(message))
            if last is not None:
                assert last.id < message.id, f"{self.name} was given {message} after {last}"
                assert last.received_at < message.received_at, f"{self.name} was given {message} after {last}"
            self._last[self._thread(message)] = message
            self.seen.append(message)

    def check(self, sent: set[str]) -> None:
        """Exactly the texts that were sent, each once."""
        texts = [message.text for message in self.seen]
        assert set(texts) == sent, (
            f"{self.name} missed {sorted(sent - set(texts))[:5]}, made up {sorted(set(texts) - sent)[:5]}"
        )
        assert len(texts) == len(sent), f"{self.name} was given {len(texts) - len(sent)} texts twice"


class Follower:
    """Reads on and on in a thread of its own, until told that no more will come and nothing more has come."""

    def __init__(self, name: str, reader: Reader, thread: Callable[[Seen], object] = lambda _: None) -> None:
        self.record = Record(name, thread)
        self._reader = reader
        self._no_more, self._given_up = threading.Event(), threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def start(self) -> "Follower":
        self._thread.start()
        return self

    def give_up(self) -> None:
        """The test is over, whatever is left."""
        self._given_up.set()
        self._thread.join(60)

    def finish(self, sent: set[str]) -> None:
        """Everything that was sent is committed: read what is left, then hold what was read to the promise."""
        self._no_more.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), f"{self.record.name} does not come to an end"
        if self._failure is not None:
            raise self._failure
        self.record.check(sent)

    def _follow(self) -> None:
        try:
            while not self._given_up.is_set():
                last_round = self._no_more.is_set()  # asked before reading: what is committed by now will be read
                messages = self._reader.read()
                self.record.take(messages)
                if last_round and not messages:
                    return
                if not messages:
                    self._no_more.wait(PAUSE_SECONDS)
        except BaseException as error:
            self._failure = error


class Inbox:
    """GET on several servers in turn, as a client behind a load balancer would.

    `patient`: it asks the next one where a server is down, or its database is.
    """

    def __init__(
        self,
        base_urls: Sequence[str],
        path: str,
        headers: Mapping[str, str],
        limit: int,
        *,
        patient: bool = False,
    ) -> None:
        self._patient = patient
        self.base_urls = list(base_urls)
        self._wires = [Wire(url) for url in base_urls]
        self._turns = itertools.cycle(self._wires)
        self._path, self._headers = path, headers
        self.limit = limit

    def get(self, **params: Any) -> Answer:
        given = {name: value for name, value in params.items() if value is not None}
        target = f"{self._path}?{urlencode({'limit': self.limit, **given})}"
        deadline = time.monotonic() + STREAM_PATIENCE_SECONDS
        while True:
            try:
                answer = next(self._turns).get(target, self._headers)
            except NoAnswer:
                assert self._patient, "a server hung up"
                assert time.monotonic() < deadline, "no server answers"
                time.sleep(PAUSE_SECONDS)
                continue
            if answer.status != 503 or not self._patient:
                assert answer.status == 200, answer
                return answer

    def close(self) -> None:
        for wire in self._wires:
            wire.close()


class BySince:
    """Dialect B: `since` is the newest `received_at` it saw; the oldest `limit` after it come, listed newest first.

    `wait` is how many seconds an answer may wait for something new.
    """

    def __init__(self, inbox: Inbox, wait: int | None = None) -> None:
        self._inbox = inbox
        self._wait = wait
        self._since = "1970-01-01T00:00:00Z"
        self.had_more = 0

    def read(self) -> list[Seen]:
        answer = self._inbox.get(since=self._since, wait=self._wait)
        messages = answer.json()["messages"]
        if answer.headers.get("X-Has-More") == "true":
            assert len(messages) == self._inbox.limit
            self.had_more += 1
        if messages:
            self._since = messages[0]["received_at"]
        return [_seen_in_b(message) for message in reversed(messages)]


class ByAfter:
    """Dialect A: `after` is the last id it saw. `wait` is how many seconds an answer may wait for something new."""

    def __init__(self, inbox: Inbox, wait: int | None = None) -> None:
        self._inbox = inbox
        self._wait = wait
        self._after = FIRST_ID

    def read(self) -> list[Seen]:
        messages = self._inbox.get(after=self._after, wait=self._wait).json()["data"]
        if messages:
            self._after = messages[-1]["id"]
        return [_seen_in_a(message) for message in messages]


class ByCursor:
    """Dialect A, forwards: along `next_cursor` as long as there is one, then `after` the last id it saw."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._after = FIRST_ID
        self._last = FIRST_ID
        self._cursor: str | None = None
        self.cursors = 0

    def read(self) -> list[Seen]:
        body = self._inbox.get(after=self._after, cursor=self._cursor).json()
        messages = body["data"]
        if messages:
            self._last = messages[-1]["id"]
        self._cursor = body["meta"]["next_cursor"]
        if self._cursor is None:
            self._after = self._last
        else:
            self.cursors += 1
        return [_seen_in_a(message) for message in messages]


class ByInclusiveSince:
    """Dialect A: `since` the newest `received_at` it saw, newest first to the last page.

    Inclusive: the one boundary message comes again, and nothing else does.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._newest: Seen | None = None

    def read(self) -> list[Seen]:
        since = self._newest.received_at if self._newest else None
        found: list[Seen] = []
        cursor = None
        while True:
            body = self._inbox.get(since=since, cursor=cursor).json()
            found += [_seen_in_a(message) for message in body["data"]]
            cursor = body["meta"]["next_cursor"]
            if cursor is None:
                break
        found.reverse()
        if self._newest is not None:
            assert found[:1] == [self._newest], f"the boundary message did not come again: {found[:2]}"
            del found[0]
        if found:
            self._newest = found[-1]
        return found


class ByStream:
    """The live stream, resumed from the last id it saw on another server each time it ends: by itself after so many events,
    or because the server was killed. It has come to its end when dialect A's list has nothing after what it brought."""

    def __init__(self, inbox: Inbox, headers: Mapping[str, str], cut_every: int, **params: Any) -> None:
        self._inbox = inbox
        self._urls = itertools.cycle(inbox.base_urls)
        self._headers, self._params = headers, params
        self._cut_every, self._read = cut_every, 0
        self._last_id, self._last_message_id = FIRST_ID, FIRST_ID
        self._stream: Sse | None = None
        self.resumed = 0

    def read(self) -> list[Seen]:
        deadline = time.monotonic() + STREAM_PATIENCE_SECONDS
        while True:
            event = self._next()
            if event is not None and event["type"] == "message.received":
                self._last_message_id = event["id"]
                return [_seen_in_a(event["data"])]
            if event is None and not self._inbox.get(after=self._last_message_id, limit=1).json()["data"]:
                return []
            assert time.monotonic() < deadline, f"the stream does not bring what comes after {self._last_message_id}"

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def _next(self) -> dict[str, Any] | None:
        """None when none has come for a while, or the stream ended and was begun again."""
        try:
            if self._stream is None:
                self._stream = Sse(next(self._urls), self._headers, last_id=self._last_id, **self._params)
                self._stream.within(STREAM_PAUSE_SECONDS)
                self.resumed += 1
            event = self._stream.next()
        except (NoAnswer, Ended, TimeoutError, Refused) as error:
            assert not isinstance(error, Refused) or error.status == 503, error
            self._begin_again()
            return None
        assert event["id"] > self._last_id, f"{event} came after {self._last_id}"
        self._last_id = event["id"]
        self._read += 1
        if self._read % self._cut_every == 0:
            self._begin_again()
        return event

    def _begin_again(self) -> None:
        if self._stream is not None:
            self._last_id = self._stream.last_id or self._last_id
            self._stream.close()
            self._stream = None


class ByWebhook:
    """A webhook receiver: each event at the first time that it comes. It may come again, and then before any later one of its
    thread. It has come to its end when it has all that dialect A's list has."""

    def __init__(self, receiver: Receiver, inbox: Inbox) -> None:
        self._receiver, self._inbox = receiver, inbox
        self._looked_at = 0
        self._ids: set[str] = set()
        self._newest: dict[str, str] = {}
        self._checked = FIRST_ID
        self.again = 0

    def read(self) -> list[Seen]:
        deadline = time.monotonic() + WEBHOOK_PATIENCE_SECONDS
        while True:
            posts = self._receiver.posts[self._looked_at :]
            self._looked_at += len(posts)
            found = [seen for post in posts if (seen := self._first(post)) is not None]
            if found or not self._is_missing_any():
                return found
            assert time.monotonic() < deadline, f"the webhook does not bring what comes after {self._checked}"
            self._receiver.wait_for_more(self._looked_at, STREAM_PAUSE_SECONDS)

    def _first(self, post: Posted) -> Seen | None:
        if post.event["type"] != "message.received":
            return None
        seen = _seen_in_a(post.event["data"])
        assert post.id == f"evt_{seen.id}"
        assert seen.id >= self._newest.get(seen.sender, FIRST_ID), f"{seen} came after {self._newest[seen.sender]}"
        self._newest[seen.sender] = seen.id
        if seen.id in self._ids:
            self.again += 1
            return None
        self._ids.add(seen.id)
        return seen

    def _is_missing_any(self) -> bool:
        while page := self._inbox.get(after=self._checked).json()["data"]:
            for message in page:
                if message["id"] not in self._ids:
                    return True
                self._checked = message["id"]
        return False


def sender_of(message: Seen) -> str:
    """Its thread, where all are to one number."""
    return message.sender


def whole_inbox(base_url: str, headers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every message of the organization as dialect A shows it, newest first, by walking to the last page."""
    inbox = Inbox([base_url], "/v1/inbound-messages", headers, 100)
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        body = inbox.get(cursor=cursor).json()
        found += body["data"]
        cursor = body["meta"]["next_cursor"]
        if cursor is None:
            inbox.close()
            return found


def _seen_in_a(message: dict[str, Any]) -> Seen:
    return Seen(message["id"], message["received_at"], message["body"], message["from"])


def _seen_in_b(message: dict[str, Any]) -> Seen:
    message_id = parse_ulid(message["id"].removeprefix("msg_"))
    assert message_id is not None
    return Seen(message_id, message["received_at"], message["body"], message["from"])
