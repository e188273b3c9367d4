"""Endpoints are told what happens: once, in order, signed."""

import base64
import hmac

from standardwebhooks import Webhook

from roost.client import MessageReceived, verify_webhook
from support.telling import Telling


def test_an_endpoint_is_told_of_a_text_that_came(telling: Telling) -> None:
    made = telling.endpoint()
    telling.arrives("hello")
    telling.tell()
    [post] = telling.receiver.posts
    message = telling.house.inbound(telling.tenant)[0]
    assert post.id == f"evt_{message['id']}"
    assert post.event["id"] == message["id"]
    assert message.items() <= post.event["data"].items()
    assert Webhook(made["secret"]).verify(post.body, post.headers) == post.event
    event = verify_webhook(made["secret"], post.headers, post.body)
    assert isinstance(event, MessageReceived)
    assert event.data.body == "hello"
    stamp, _, mac = post.headers["x-amcore-signature"].partition(",v1=")
    assert stamp == f"t={post.headers['webhook-timestamp']}"
    key = base64.b64decode(made["secret"])
    assert mac == hmac.new(key, stamp[2:].encode() + b"\n" + post.body, "sha256").hexdigest()
    telling.tell()
    assert len(telling.receiver.posts) == 1
