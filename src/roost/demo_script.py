"""What happens in the demo: five texts arrive, one of them is answered, and a STOP is honoured."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import structlog

from roost.core.times import rfc3339_short
from roost.deliver import Answer, DeliveryFailed, call, deliver
from roost.demo_picture import GARDEN
from roost.server import now_us

Say = Callable[[str], None]
Demo = dict[str, Any]

MARIA, STOPPED = "+14155551234", "+15554443333"
#: Between two lines: slow enough to watch, and all is over within ten seconds.
_PAUSE_SECONDS = 0.9
#: How often the delivery of what was sent is asked for.
_LOOKS, _LOOK_SECONDS = 20, 0.05

log = structlog.get_logger(__name__)


async def play(demo: Demo, say: Say) -> None:
    """Line by line. On a later start the texts are replays and change nothing, and nothing is sent."""
    try:
        async for line in _lines(demo):
            say(f"  {line}")
            await asyncio.sleep(_PAUSE_SECONDS)
    except DeliveryFailed as error:
        log.error("demo_failed", error=str(error))
        return
    say("\nThat was all; the server keeps running. Stop it with Ctrl-C.")


async def _lines(demo: Demo) -> AsyncIterator[str]:
    hand = "\N{WAVING HAND SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}"
    line, is_new = await _loopback(demo, "1", MARIA, f"Hello {hand} can I come in tomorrow at 7?")
    yield line
    if is_new:
        async for line in _send(demo, MARIA, "You are welcome at 7. Shall I write it down?"):
            yield line
    line, is_new = await _loopback(demo, "2", MARIA, "Yes, I'd like to confirm my appointment")
    yield line
    if is_new:
        yield await _thread(demo)
    yield (await _bandwidth(demo, "3", "+14155559876", "Here is the garden after the rain", [GARDEN]))[0]
    code = "482913 is your Acme verification code. It expires in 10 minutes."
    yield (await _bandwidth(demo, "4", "68849", code, []))[0]
    line, is_new = await _loopback(demo, "5", STOPPED, "STOP")
    yield line
    if is_new:
        yield await _confirmation(demo)
        async for line in _send(demo, STOPPED, "Our spring sale begins"):
            yield line


async def _send(demo: Demo, to: str, text: str) -> AsyncIterator[str]:
    """Send from the loopback number; what the API says of it, until it is delivered."""
    answer = await _api(demo, "POST", "/v1/messages", {"from": demo["number"], "to": to, "text": text})
    if answer.status != 202:
        yield f"we -> {to}: {text}  [refused: {answer.status} {answer.body['error']['code']}]"
        return
    message = answer.body["data"]
    yield f"we -> {to}: {text}  [{message['status']}]"
    for _ in range(_LOOKS):
        message = (await _api(demo, "GET", f"/v1/messages/{message['id']}")).body["data"]
        if message["status"] == "delivered":
            break
        await asyncio.sleep(_LOOK_SECONDS)
    yield f"     [{message['status']} {message['delivered_at'] or ''}]"


async def _confirmation(demo: Demo) -> str:
    """The one text that still goes to who said STOP."""
    newest = (await _api(demo, "GET", "/v1/messages")).body["data"][0]
    return f"we -> {newest['to']}: {newest['text']}  [{newest['status']}]"


async def _thread(demo: Demo) -> str:
    """The thread that the reply joined."""
    thread = (await _api(demo, "GET", "/v1/threads")).body["data"][0]
    messages = (await _api(demo, "GET", f"/v1/threads/{thread['id']}/messages")).body["data"]
    return f"     [in reply to it: thread {thread['id']} has {len(messages)} messages]"


async def _loopback(demo: Demo, key: str, sender: str, text: str) -> tuple[str, bool]:
    payload = {"id": f"demo-{key}", "from": sender, "to": demo["number"], "text": text, "time": _whole_seconds()}
    url = demo["base_url"] + demo["loopback_url"]
    answer = await asyncio.to_thread(deliver, url, demo["loopback_user"], demo["loopback_password"], payload)
    return _said(sender, text, answer)


async def _bandwidth(demo: Demo, key: str, sender: str, text: str, media: list[str]) -> tuple[str, bool]:
    now, number = _whole_seconds(), demo["bandwidth_number"]
    message = {
        "id": f"demo-{key}",
        "time": now,
        "to": [number],
        "from": sender,
        "text": text,
        "applicationId": "93de2206-9669-4e07-948d-329f4b722ee2",
        "owner": number,
        "direction": "in",
        "segmentCount": 1,
        **({"media": media} if media else {}),
    }
    description = "Incoming message received"
    event = {"type": "message-received", "time": now, "description": description, "to": number, "message": message}
    url = f"{demo['base_url']}/carriers/bandwidth/{demo['bandwidth_account']}"
    answer = await asyncio.to_thread(deliver, url, demo["basic_user"], demo["basic_password"], [event])
    return _said(sender, text, answer)


def _said(sender: str, text: str, answer: dict[str, Any]) -> tuple[str, bool]:
    is_new = answer["stored"] == 1
    return f"{sender}: {text}" + ("" if is_new else " (here already)"), is_new


async def _api(demo: Demo, method: str, path: str, payload: Any = None) -> Answer:
    headers = {"Authorization": f"Bearer {demo['api_key']}"}
    return await asyncio.to_thread(call, method, demo["base_url"] + path, headers, payload)


def _whole_seconds() -> str:
    return rfc3339_short(now_us() // 1_000_000 * 1_000_000)
