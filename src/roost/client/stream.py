"""The event stream: followed for as long as one likes, over however many connections that takes."""

from roost.client.drivers import Settings
from roost.client.errors import BrokenAnswer, ConnectionFailed, RoostError, error_of
from roost.client.events import Event, read_event
from roost.client.flow import Emit, Flow, Open, Opened, Pause, Read, Request, Walk
from roost.client.sse import Frames

#: The server writes something at least every fifteen seconds; a connection that is silent for so long is dead.
SILENCE_SECONDS = 45.0
#: Of what a server answers that will not stream.
_MOST_SAID = 64 << 10


def events(request: Request, settings: Settings, last_event_id: str | None) -> Walk[Event]:
    """Every event after the one with that id, or from now on. A connection that ends is opened again where it ended."""
    frames, retry, failures = Frames(last_event_id), settings.retry.persistent(), 0
    while True:
        try:
            opened = yield from _opened(request, frames)
            while piece := (yield Read(opened)):
                failures = 0
                for frame in frames.feed(piece):
                    yield Emit(read_event(frame.data))
            trouble: RoostError = ConnectionFailed("the stream ended", retry_after=frames.retry)
        except RoostError as error:
            trouble = error
        wait = retry.wait(failures, trouble, once=True)
        if wait is None:
            raise trouble
        yield Pause(wait)
        failures += 1


def _opened(request: Request, frames: Frames) -> Flow[Opened]:
    frames.reconnected()
    headers = (*request.headers, ("Accept", "text/event-stream"))
    if frames.last_id:
        headers = (*headers, ("Last-Event-ID", frames.last_id))
    opened: Opened = yield Open(request._replace(headers=headers, timeout=SILENCE_SECONDS))
    if opened.status == 200 and opened.headers.get("content-type", "").startswith("text/event-stream"):
        return opened
    said = b""
    while len(said) < _MOST_SAID and (piece := (yield Read(opened))):
        said += piece
    if opened.status == 200:
        raise BrokenAnswer("the answer is no event stream")
    raise error_of(opened.status, opened.headers, said)
