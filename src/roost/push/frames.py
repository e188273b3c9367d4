"""What a stream is made of: the `text/event-stream` format of the WHATWG HTML standard, section 9.2.5.

JSON has no line ends of its own, so that an event's data is one line.
"""

from roost.core.events import Event
from roost.core.media_urls import MediaUrls
from roost.push.envelope import encode

#: A comment, which no client hands on. Without an empty line after it, since some take that for an event.
HEARTBEAT = b":\n"


def frame_of(event: Event, urls: MediaUrls) -> bytes:
    """An event, under its type and its id."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (event.id.encode(), event.type.encode(), encode(event, urls))


def opening(after: str, retry_ms: int) -> bytes:
    """How soon a client that is cut off may come again, and from where: also when nothing has come yet."""
    return b"retry: %d\nid: %b\n\n" % (retry_ms, after.encode())
