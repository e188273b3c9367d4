"""The hosted consent form: one small page without JavaScript, for whoever is asked to agree."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from jinja2 import Template
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from roost.api.answers import errors
from roost.api.auth import ShortCache
from roost.api.form_tokens import Form, FormTokens
from roost.api.http import read_body
from roost.api.pages import environment, style
from roost.api.routes import Answer, Parameter, Route
from roost.core.jwt import InvalidToken
from roost.core.numbers import number_as_entered
from roost.core.times import rfc3339
from roost.store.audit import Actor
from roost.store.base import Store
from roost.store.capture import Capture, OptedOut
from roost.store.consent import Evidence, Pair, hash_of
from roost.store.policy import OrganizationPolicy

MAX_FORM_BYTES = 16 * 1024
MAX_USER_AGENT = 1024

_ENTER_NUMBER = "Enter your mobile number, with the country code where it is not the same as ours: +1 555 444 3333."
_TICK = "Tick the box to agree. If you do not agree, close this page: nothing is kept."


class _Shown(NamedTuple):
    """A form that is still good, and whose it is."""

    form: Form
    pair: Pair
    """The contact is empty until it is entered."""
    capture: Capture
    organization: str


class HostedForm:
    """Handlers over one store."""

    def __init__(self, store: Store, policies: ShortCache[OrganizationPolicy], public_url: str) -> None:
        self._store = store
        self._policies = policies
        self._tokens = FormTokens(store)
        self._public_url = public_url

    async def show(self, request: Request) -> Response:
        shown = await self._shown(request)
        return shown if isinstance(shown, Response) else _form_page(shown)

    async def submit(self, request: Request) -> Response:
        body = await read_body(request, MAX_FORM_BYTES)
        shown = await self._shown(request)
        if isinstance(shown, Response):
            return shown
        entered = dict(parse_qsl(body.decode("utf-8", "replace")))
        typed, agreed = entered.get("contact_number", "")[:32], entered.get("agree") == "yes"
        contact = shown.form.contact_number or number_as_entered(typed, shown.pair.number)
        wrong = {}
        if contact is None:
            wrong["contact_number"] = _ENTER_NUMBER
        if not agreed:
            wrong["agree"] = _TICK
        if contact is None or wrong:
            return _form_page(shown, wrong, typed, agreed=agreed)
        pair = shown.pair._replace(contact_number=contact)
        try:
            await shown.capture.opt_in(pair, self._evidence(request, shown.form))
        except OptedOut:
            start = f"Text START from {contact} to {pair.number} to get texts again."
            return _page(409, "You opted out by text", ["Only the phone itself can change that.", start])
        thanks = f"{shown.organization} may now text {contact} from {pair.number}."
        return _page(200, "Thank you", [thanks, "Reply STOP to any text to get no more."])

    async def _shown(self, request: Request) -> _Shown | Response:
        try:
            form = self._tokens.read(request.path_params["token"])
        except InvalidToken:
            return _page(404, "No such form", ["The address is not complete. Open it again from where you got it."])
        policy = await self._policies.get(form.org_id)
        if policy is not None and self._store.clock() < form.expires_at:
            # What is changed by a form is changed by whoever fills it in.
            capture = Capture(self._store, Actor("contact"), policy.settings)
            pair = await capture.pair(form.org_id, form.phone_number_id, form.contact_number or "")
            if pair is not None:
                return _Shown(form, pair, capture, policy.name)
        return _page(410, "This form is not open any more", ["Ask whoever gave you the address for a new one."])

    def _evidence(self, request: Request, form: Form) -> Evidence:
        details = {
            "captured_at": rfc3339(self._store.clock()),
            "ip_address": request.client.host if request.client else "",
            "user_agent": request.headers.get("user-agent", "")[:MAX_USER_AGENT],
            "agreement_text": form.agreement_text,
            # Without the token, which would let anybody who reads the ledger use the form.
            "form_url": f"{self._public_url}/consent#{form.id}",
        }
        return Evidence("hosted_form", "hosted_form", agreement_text_hash=hash_of(form.agreement_text), details=details)

    def routes(self) -> Sequence[Route]:
        """The page, shown and filled in."""
        tag, page = "Consent form", "text/html"
        token = [Parameter("token", "path", {"type": "string"}, "The token that `POST /v1/consent/hosted` made.")]
        gone = [
            Answer(404, "The token is not one of ours", page),
            Answer(410, "It has expired, or the number is not the organization's any more", page),
        ]
        return (
            Route(
                "GET", "/consent/{token}", self.show, tag, "Show the consent form", "For the contact, in a browser.",
                [Answer(200, "The form", page), *gone, *errors(503)], token,
            ),
            Route(
                "POST", "/consent/{token}", self.submit, tag, "Fill in the consent form",
                "`application/x-www-form-urlencoded`: `contact_number` where the token has none, and `agree=yes`.",
                [
                    Answer(200, "The contact is opted in", page),
                    Answer(409, "The contact opted out by text, which only a text from the phone lifts", page),
                    Answer(422, "The form again, with what to do", page),
                    *gone,
                    *errors(413, 503),
                ],
                token,
            ),
        )  # fmt: skip


def _form_page(
    shown: _Shown, wrong: Mapping[str, str] | None = None, entered: str = "", *, agreed: bool = False
) -> Response:
    return _page(
        422 if wrong else 200,
        f"Texts from {shown.organization}",
        [],
        form=shown.form,
        organization=shown.organization,
        number=shown.pair.number,
        wrong=wrong or {},
        entered=entered,
        agreed=agreed,
    )


def _page(status: int, title: str, lines: Sequence[str], form: Form | None = None, **values: Any) -> Response:
    html = _template().render(title=title, lines=lines, form=form, style=Markup(style("consent.css")), **values)  # noqa: S704 - ours
    return HTMLResponse(html, status, _headers())


@lru_cache(maxsize=1)
def _template() -> Template:
    return environment().get_template("consent.html")


@lru_cache(maxsize=1)
def _headers() -> dict[str, str]:
    """Nothing but the page's own style may be loaded or run, and the address, which holds the token, goes nowhere."""
    digest = base64.b64encode(hashlib.sha256(style("consent.css").encode()).digest()).decode()
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
