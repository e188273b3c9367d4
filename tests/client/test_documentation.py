"""The Python in docs/client.md, run as it stands against a real server."""

import ast
import asyncio
import inspect
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import roost.client
from roost.client import BEGINNING, InboundMessage, Roost
from support.agents import hear
from support.databases import Database
from support.house import House, Tenant
from support.receiver import Receiver

CONTACT = "+14155551234"
PAGE = (Path(__file__).parents[2] / "docs/client.md").read_text("utf-8")


class Enough(Exception):
    """What the page leaves to the reader has been asked for: the loop would go on for ever."""


def blocks() -> list[str]:
    """Every indented block, but for the commands."""
    found = re.findall(r"(?:^    .*\n(?:\n(?=    ))?)+", PAGE, re.MULTILINE)
    return [inspect.cleandoc("\n" + block) for block in found if not block.startswith("    roost ")]


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    running = House(
        database, tmp_path / "data", working=True, telling=True, segments_per_second=0, allowed_networks="127.0.0.0/8"
    ).start()
    yield running
    running.stop()


@pytest.fixture
def tenant(house: House) -> Tenant:
    return house.tenant(carrier="loopback", number="+15551112222")


def run(block: str, house: House, tenant: Tenant, **names: Any) -> dict[str, Any]:
    """What the block has made. Its addresses and its key are put in their places."""
    for written, meant in (("http://127.0.0.1:8080", house.base_url), ("am_live_...", tenant.key)):
        block = block.replace(written, meant)
    names = {**{name: getattr(roost.client, name) for name in roost.client.__all__}, **names}
    code = compile(block, "docs/client.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    made = eval(code, names)
    if inspect.iscoroutine(made):
        asyncio.run(made)
    return names


def test_each_block_of_python_does_what_the_page_says(
    house: House, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking, awaiting, following, streaming, signing_in, creating, verifying = blocks()
    monkeypatch.setenv("ROOST_URL", house.base_url)
    hear(house, tenant, CONTACT, "hello?")
    handled, printed = list[str](), list[str]()

    def answer(message: InboundMessage) -> None:
        handled.append(message.body)

    def save(last_id: str) -> None:
        if len(handled) == 2:
            raise Enough

    with Receiver() as receiver, Roost(api_key=tenant.key) as client, ThreadPoolExecutor(1) as other:
        sent = other.submit(run, asking, house, tenant, print=printed.append)
        while not house.outbound(tenant):
            assert not sent.done(), sent.result()
        hear(house, tenant, CONTACT, "yes")
        sent.result(60)
        assert printed == ["yes"]
        with pytest.raises(Enough):
            run(following, house, tenant, roost=client, load=lambda: None, answer=answer, save=save)
        assert handled == ["hello?", "yes"]
        handled.clear()
        with pytest.raises(Enough):
            run(streaming, house, tenant, roost=client, load=lambda: BEGINNING, answer=answer, save=save)
        assert handled == ["hello?", "yes"]
        run(awaiting.replace("    ...", "    break"), house, tenant, last_id=BEGINNING)
        sign_in = lambda: hear(house, tenant, "22000", "G-482913 is your Google verification code.")  # noqa: E731
        assert run(signing_in, house, tenant, roost=client, sign_in=sign_in)["found"].code == "482913"
        kept: list[str] = []
        creating = creating.replace("https://agent.example.com/roost", receiver.url())
        run(creating, house, tenant, roost=client, keep=kept.append)
        hear(house, tenant, CONTACT, "posted")
        [post] = receiver.wait_for(1)
        request = SimpleNamespace(headers=post.headers, body=post.body)
        assert run(verifying, house, tenant, secret=kept[0], request=request)["event"].data.body == "posted"
