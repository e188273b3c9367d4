"""Workers that share an inbox, and die: what was acknowledged, under which fences."""

import itertools
import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from support.wire import NoAnswer, Wire

_BASE = "/v1/inbound-messages"
_PAUSE_SECONDS = 0.01
#: What a worker does with what it got: most acknowledge it, one gives it back, one dies and is never heard of, and one is
#: stopped for longer than its lease and goes on as if nothing had happened.
_FATES = ("ack", "ack", "ack", "ack", "release", "die", "late")


class Tally:
    """What all workers together were told."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.fences: defaultdict[str, set[int]] = defaultdict(set)
        """By the text of a message: the fences under which its ack was accepted."""
        self.handed_out = 0
        self.outdated = 0
        self.deaths = 0

    def took(self, count: int) -> None:
        with self._changed:
            self.handed_out += count

    def died(self) -> None:
        with self._changed:
            self.deaths += 1

    def settled(self, texts: Mapping[str, str], results: Sequence[Mapping[str, Any]]) -> None:
        with self._changed:
            for each in results:
                self.outdated += each["reason"] == "outdated"
                if each["status"] == "acked":
                    self.fences[texts[each["id"]]].add(each["fence"])
            self._changed.notify_all()

    def wait_until(self, count: int, seconds: float = 60) -> None:
        """Return once so many messages are acknowledged."""
        with self._changed:
            enough = self._changed.wait_for(lambda: len(self.fences) >= count, seconds)
            assert enough, f"only {len(self.fences)} of {count} were acknowledged"


class Claimer:
    """One worker, in a thread of its own, over all servers in turn; when it dies, another one takes its place."""

    def __init__(self, base_urls: Sequence[str], headers: Mapping[str, str], tally: Tally, seed: int) -> None:
        self._urls = itertools.cycle([*base_urls[seed % len(base_urls) :], *base_urls[: seed % len(base_urls)]])
        self._headers, self._tally = headers, tally
        self._fate = random.Random(seed)
        self._late: list[tuple[dict[str, Any], float]] = []
        self._over = threading.Event()
        self._failure: BaseException | None = None
        self._wire = Wire(next(self._urls))
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> "Claimer":
        self._thread.start()
        return self

    def finish(self) -> None:
        """Work no more. Raises what went wrong."""
        self._over.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), "a worker does not come to an end"
        self._wire.close()
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        try:
            while not self._over.is_set():
                body = {"limit": self._fate.randint(1, 12), "lease_seconds": 1, "wait": 1}
                claimed = self._ask("claim", body)
                if claimed is None:  # whatever was claimed, nobody heard of it
                    continue
                self._tally.took(len(claimed["messages"]))
                self._deal_with(claimed)
                self._go_on_late()
        except BaseException as error:
            self._failure = error

    def _deal_with(self, claimed: dict[str, Any]) -> None:
        fate = self._fate.choice(_FATES)
        if fate == "late":
            self._late.append((claimed, time.monotonic() + 1.2))
        elif fate == "die":
            self._tally.died()
            self._wire.close()
        elif claimed["messages"]:
            self._settle(fate, claimed)

    def _go_on_late(self) -> None:
        for claimed, at in list(self._late):
            if claimed["messages"] and at <= time.monotonic():
                self._late.remove((claimed, at))
                self._settle("ack", claimed)

    def _settle(self, what: str, claimed: dict[str, Any]) -> None:
        """Again until it is answered: with the same fence that is the same."""
        held = [{"id": message["id"], "fence": claimed["fence"]} for message in claimed["messages"]]
        answer = None
        while answer is None and not self._over.is_set():
            answer = self._ask(what, {"messages": held})
        if answer is not None:
            texts = {message["id"]: message["body"] for message in claimed["messages"]}
            self._tally.settled(texts, answer["messages"])

    def _ask(self, what: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """None: no answer came, or the database was away."""
        headers = {**self._headers, "Content-Type": "application/json"}
        try:
            answer = self._wire.post(f"{_BASE}/{what}", json.dumps(body).encode(), headers)
        except NoAnswer:
            self._wire = Wire(next(self._urls))
            self._over.wait(_PAUSE_SECONDS)
            return None
        assert answer.status in (200, 503), answer
        if answer.status == 503:
            self._over.wait(_PAUSE_SECONDS)
            return None
        data: dict[str, Any] = answer.json()["data"]
        return data
