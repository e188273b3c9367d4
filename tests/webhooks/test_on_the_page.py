"""Webhook deliveries on the inbox page."""

from support.receiver import Reply
from support.telling import Telling
from support.visitor import Html, signed_in


def test_a_delivery_is_shown_and_told_once_more(telling: Telling) -> None:
    house, tenant = telling.house, telling.tenant
    visitor = signed_in(house, tenant)
    assert "Nothing was told to anybody yet" in visitor.get("/inbox/webhooks").text
    telling.endpoint()
    telling.receiver.answering = lambda post: Reply(404, b"<script>alert(1)</script>")
    telling.arrives("first")
    telling.tell()
    page = visitor.get("/inbox/webhooks")
    assert "message.received" in page.text
    assert "404 ·" in page.text
    assert "message.received" not in visitor.get("/inbox/webhooks?outcome=success").text
    [replay] = [str(form["action"]) for form in Html(page.text).all("form") if "replay" in str(form["action"])]
    telling.receiver.answering = lambda post: Reply()
    told = visitor.fill_in(replay)
    assert (told.status_code, "will be told once more" in told.text) == (200, True)
    telling.tell(later_us=3_000_000)
    assert {post.text for post in telling.receiver.posts} == {"first"}
    assert len(telling.receiver.posts) >= 2
    assert 'class="badge good"' in visitor.get("/inbox/webhooks").text


def test_it_takes_the_scope_and_the_organization(telling: Telling) -> None:
    house, tenant = telling.house, telling.tenant
    telling.endpoint()
    telling.arrives("first")
    telling.tell()
    [entry] = telling.log()
    path = f"/inbox/webhooks/{entry['id']}/replay"
    reader = signed_in(house, tenant, ["messages:read", "webhooks:read"])
    assert "replay" not in reader.get("/inbox/webhooks").text
    assert reader.fill_in(path).status_code == 403
    stranger = signed_in(house, house.tenant())
    assert "message.received" not in stranger.get("/inbox/webhooks").text
    assert stranger.fill_in(path).status_code == 404
    house.http.delete(f"/v1/webhooks/{entry['endpoint_id']}", headers=tenant.auth)
    refused = signed_in(house, tenant).fill_in(path)
    assert (refused.status_code, "not replayed: the endpoint is not active" in refused.text) == (409, True)
