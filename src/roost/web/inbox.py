"""The inbox page put together: where each page is."""

from collections.abc import Sequence
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from roost.api.auth import ShortCache
from roost.api.errors import not_found
from roost.api.limits import Limits
from roost.api.routes import Route
from roost.api.sender import Sender
from roost.core.media_urls import MediaUrls
from roost.errors import Refusal
from roost.push.events import Following, Reader
from roost.store.base import Store
from roost.store.policy import OrganizationPolicy
from roost.web.accounts import Accounts, CheckUp
from roost.web.door import Door
from roost.web.frame import Frame
from roost.web.keys import Keys
from roost.web.numbers import Numbers
from roost.web.opt_outs import OptOuts
from roost.web.pages import ROOT, Handler, Pages, SignInNeeded
from roost.web.phone import Phone, Play
from roost.web.search import SearchPage
from roost.web.sign_in import SignIn
from roost.web.threads import Threads
from roost.web.unrouted import RouteIt, Unrouted
from roost.web.usage import UsagePage
from roost.web.views import Messages
from roost.web.webhooks import WebhooksPage

_PAIR = "{number}/{contact:path}"


class Doing(NamedTuple):
    """What is done elsewhere; `check_up` of None: nobody here can ask a carrier."""

    play: Play
    route: RouteIt
    check_up: CheckUp | None = None


class Inbox:
    """The pages over one store. Their routes are for people, and in no description of the API."""

    def __init__(
        self,
        store: Store,
        public_url: str,
        sender: Sender,
        policies: ShortCache[OrganizationPolicy],
        urls: MediaUrls,
        limits: Limits,
        following: Following,
        doing: Doing,
    ) -> None:
        self._pages = Pages(public_url)
        self._door = Door(store, public_url)
        self._following = following
        frame = Frame(self._pages, self._door, policies)
        self._sign_in = SignIn(store, self._pages, self._door, limits)
        messages = Messages(store, urls)
        self._keys = Keys(store, frame, self._door, limits)
        self._numbers = Numbers(store, frame, self._door)
        self._accounts = Accounts(store, frame, self._door, public_url, doing.check_up)
        self._unrouted = Unrouted(store, frame, self._door, doing.route)
        self._search = SearchPage(store, frame, self._door)
        self._usage = UsagePage(store, frame, self._door)
        self._webhooks = WebhooksPage(store, frame, self._door, limits)
        self._opt_outs = OptOuts(store, frame, self._door)
        self._phone = Phone(store, frame, self._door, messages, doing.play)
        self._threads = Threads(store, frame, self._door, sender, policies, messages, limits, self._phone)

    async def follow(self, request: Request) -> Response:
        """The stream of `/v1/events`, for the session's own organization."""
        try:
            session = await self._door.session(request)
        except SignInNeeded:
            raise Refusal(401, "UNAUTHORIZED", "authentication failed") from None
        return await self._following.open(request, Reader.of_organization(session.shown, session.scopes))

    def routes(self) -> Sequence[Route]:
        """All of them."""
        threads, sign_in = self._threads, self._sign_in
        pages = (
            ("GET", "", threads.show),
            ("GET", "/new", threads.open),
            ("GET", f"/threads/{_PAIR}", threads.thread),
            ("POST", f"/threads/{_PAIR}", threads.send),
            ("POST", f"/outlook/{_PAIR}", threads.look_ahead),
            ("POST", f"/read/{_PAIR}", threads.read),
            ("GET", f"/phone/{_PAIR}", self._phone.show),
            ("POST", f"/phone/{_PAIR}", self._phone.write),
            ("GET", "/search", self._search.show),
            ("GET", "/usage", self._usage.show),
            ("GET", "/unrouted", self._unrouted.show),
            ("POST", "/unrouted/{id}", self._unrouted.route),
            ("GET", "/opt-outs", self._opt_outs.show),
            ("GET", "/numbers", self._numbers.show),
            ("POST", "/numbers", self._numbers.add),
            ("GET", "/agents", self._numbers.agents),
            ("GET", "/accounts", self._accounts.show),
            ("POST", "/accounts/{id}/test", self._accounts.test),
            ("GET", "/webhooks", self._webhooks.show),
            ("POST", "/webhooks/{id}/replay", self._webhooks.replay),
            ("GET", "/keys", self._keys.show),
            ("POST", "/keys", self._keys.create),
            ("POST", "/keys/{id}/revoke", self._keys.revoke),
            ("GET", "/sign-in", sign_in.show),
            ("POST", "/sign-in", sign_in.sign_in),
            ("GET", "/sign-in/{link}", sign_in.show_link),
            ("POST", "/sign-out", sign_in.sign_out),
            ("GET", "/assets/{name}", self._pages.serve_asset),
            ("GET", "/{rest:path}", self._nothing_there),
        )
        guarded = [_route(method, path, self._pages.guarded(handler)) for method, path, handler in pages]
        return [_route("GET", "/events", self.follow), *guarded]

    async def _nothing_there(self, request: Request) -> Response:
        if not request.path_params["rest"]:  # the address of the inbox, with a slash too many
            return self._pages.to(self._pages.at())
        raise not_found()


def _route(method: str, path: str, handler: Handler) -> Route:
    return Route(method, ROOT + path, handler, "Inbox page", "", "", ())
