"""What is around every page of somebody who is signed in: whose inbox it is, the ways to go, and what a form must have."""

from typing import Any

from starlette.responses import Response

from roost.api.auth import ShortCache
from roost.store.policy import OrganizationPolicy
from roost.store.sessions import Session
from roost.web.door import TOKEN, Door
from roost.web.pages import Pages

#: Where one can go: the path, what it is called, and the scope that it needs.
PLACES = (
    ("", "inbox", "Inbox", "messages:read"),
    ("/search", "search", "Search", "messages:read"),
    ("/usage", "usage", "Usage", "messages:read"),
    ("/unrouted", "unrouted", "Unrouted", "messages:read"),
    ("/opt-outs", "optouts", "Opt-outs", "consent:read"),
    ("/numbers", "numbers", "Numbers", "numbers:read"),
    ("/agents", "agents", "Agents", "org:read"),
    ("/accounts", "accounts", "Carriers", "org:read"),
    ("/webhooks", "webhooks", "Webhooks", "webhooks:read"),
    ("/keys", "keys", "API keys", "apikeys:read"),
)


class Frame:
    """Renders pages with what is around them."""

    def __init__(self, pages: Pages, door: Door, policies: ShortCache[OrganizationPolicy]) -> None:
        self.pages = pages
        self._door = door
        self._policies = policies

    async def page(self, template: str, session: Session, place: str, status: int = 200, **values: Any) -> Response:
        """The page at one of `PLACES`, by its name."""
        policy = await self._policies.get(session.org_id)
        return self.pages.page(
            template,
            status,
            organization=policy.name if policy else "",
            scopes=session.scopes,
            places=[(path, name, title) for path, name, title, scope in PLACES if scope in session.scopes],
            place=place,
            token_name=TOKEN,
            token=self._door.token(session),
            **values,
        )
