"""Search on the page: the newest messages with all of the words, or of a number."""

from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from roost.core.ids import LAST_ID, parse_uuid, position_of
from roost.core.words import pieces, words_to_find
from roost.store.base import Store
from roost.store.search import Found, search
from roost.web.door import Door
from roost.web.frame import Frame

READ = "messages:read"
PAGE, MOST = 30, 200
#: Of a text, around its first word that was looked for.
_BEFORE, _SHOWN = 40, 240


class Hit(NamedTuple):
    """A message that was found; `pieces` are parts of its text, each with whether it was looked for."""

    id: str
    number: str
    contact: str
    at: int
    is_outbound: bool
    pieces: list[tuple[str, bool]]
    below: str
    """The id before which the thread is shown, so that the message is the last one."""


class SearchPage:
    """The handler over one store."""

    def __init__(self, store: Store, frame: Frame, door: Door) -> None:
        self._store = store
        self._frame = frame
        self._door = door

    async def show(self, request: Request) -> Response:
        """What is found; `before` goes on with older ones."""
        session = await self._door.session(request, READ)
        text = request.query_params.get("q", "").strip()[:MOST]
        below = parse_uuid(request.query_params.get("before", "")) or LAST_ID
        found, more = await search(self._store, session.org_id, text, PAGE, below)
        wanted = words_to_find(text)
        hits = [_hit(each, wanted) for each in found]
        older = urlencode({"q": text, "before": found[-1].id}) if more else None
        return await self._frame.page("search.html", session, "search", q=text, hits=hits, older=older, most=MOST)


def _hit(found: Found, wanted: tuple[str, ...]) -> Hit:
    shown = pieces(found.body, wanted)
    first = next((nth for nth, (_, is_wanted) in enumerate(shown) if is_wanted), 0)
    start, before = first, 0
    while start and before + len(shown[start - 1][0]) <= _BEFORE:
        start -= 1
        before += len(shown[start][0])
    part, length = [], 0
    for piece, is_wanted in shown[start:]:
        if length > _SHOWN:
            break
        part.append((piece[:_SHOWN], is_wanted))
        length += len(piece)
    below = str(UUID(int=UUID(found.id).int + 1))
    pair = found.pair
    return Hit(found.id, pair.number, pair.contact, position_of(found.id), found.is_outbound, part, below)
