"""Somebody at the inbox page without a script: follows links, fills in the forms that a page has, and keeps the cookie."""

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import httpx

from roost.core.scopes import SCOPES
from roost.store.sessions import Sessions
from support.house import NO_TLS, House, Tenant


class Html(HTMLParser):
    """The tags of a page in order, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [found for name, found in self.tags if name == tag and attributes.items() <= found.items()]


def link_of(house: House, tenant: Tenant, scopes: Iterable[str] = SCOPES) -> str:
    """The path of a link that signs in once."""
    token, _ = house.wait(Sessions(house.store).new_link(tenant.org.org_id, scopes))
    return f"/inbox/sign-in/{token}"


def thread_of(tenant: Tenant, contact: str) -> str:
    """The path of a thread."""
    return f"/inbox/threads/{tenant.number.number}/{quote(contact, safe='+')}"


class Visitor:
    """A browser of its own. `origin` is what it says that its pages are from."""

    def __init__(self, house: House) -> None:
        self.origin = house.base_url
        self.http = httpx.Client(base_url=house.base_url, timeout=30, verify=NO_TLS)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(path, **options)

    def post(self, path: str, values: dict[str, str], **headers: str) -> httpx.Response:
        """A form as it is sent by the page whose origin is ours."""
        return self.http.post(path, data=values, headers={"Origin": self.origin, **headers})

    def sign_in(self, link: str) -> httpx.Response:
        return self.post("/inbox/sign-in", {"link": link.rpartition("/")[2]})

    def token(self) -> str:
        """What the forms of this session's pages have."""
        [found] = set(re.findall(r'name="token" value="(\w+)"', self.get("/inbox").text))
        return found

    def fill_in(self, path: str, **values: str) -> httpx.Response:
        """A form of one of our pages."""
        return self.post(path, {"token": self.token(), **values})


def signed_in(house: House, tenant: Tenant, scopes: Iterable[str] = SCOPES) -> Visitor:
    """Somebody of the organization."""
    visitor = Visitor(house)
    answer = visitor.sign_in(link_of(house, tenant, scopes))
    assert answer.status_code == 303, answer.text
    return visitor
