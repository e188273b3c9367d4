"""What a scrape of `/metrics` is answered: the metrics of this process, or of all the processes that serve together."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from roost.metrics import AHEAD, REGISTRY
from roost.store.base import Store

#: A process that does not answer within this time is left out.
PATIENCE_SECONDS = 1.0
_LARGEST = 16 * 1024 * 1024


class Sibling(NamedTuple):
    """Which of several processes this is; in `folder`, which is for them alone, each can be asked for its metrics."""

    folder: Path
    number: int
    """From 1; a process that takes the place of another has its number."""

    @property
    def socket(self) -> Path:
        return self.folder / f"{self.number}.metrics"


class Scrape:
    """Where processes serve together, whichever is asked answers for all, with `process` as a label of every sample.

    prometheus_client's own way for several processes, a file that each of them writes every figure to, took a twelfth of what a
    delivery costs.
    """

    def __init__(self, store: Store, sibling: Sibling | None = None) -> None:
        self._store = store
        self._sibling = sibling
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Be there for the others."""
        if self._sibling is not None:
            self._sibling.socket.unlink(missing_ok=True)  # of who was here before us
            self._server = await asyncio.start_unix_server(self._tell, self._sibling.socket)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def text(self) -> bytes:
        """In Prometheus's text format."""
        if self._sibling is None:
            return self._own()
        sockets = sorted(self._sibling.folder.glob("*.metrics"))
        told = await asyncio.gather(*map(_ask, sockets))
        return _labelled({socket.stem: text for socket, text in zip(sockets, told, strict=True) if text})

    def _own(self) -> bytes:
        AHEAD.set(self._store.ahead_us / 1_000_000)
        return generate_latest(REGISTRY)

    async def _tell(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            writer.write(self._own())
            await writer.drain()
        writer.close()


async def _ask(socket: Path) -> str:
    """What a process tells of itself; nothing when it is gone."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await asyncio.open_unix_connection(socket, limit=_LARGEST)
            try:
                return (await reader.read(-1)).decode()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return ""


def _labelled(texts: Mapping[str, str]) -> bytes:
    """The metrics of several processes, by number, as one text."""
    metrics: dict[str, Metric] = {}
    for number, text in texts.items():
        for told in text_string_to_metric_families(text):
            metric = metrics.setdefault(told.name, Metric(told.name, told.documentation, told.type))
            metric.samples += [sample._replace(labels={**sample.labels, "process": number}) for sample in told.samples]
    registry = CollectorRegistry()
    registry.register(_Told(metrics.values()))
    return generate_latest(registry)


class _Told(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics
