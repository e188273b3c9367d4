"""A carrier is one file and one line in the registry: here is one, and all else knows it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.carriers.credentials import new_secrets
from roost.carriers.matrix import BEGIN, END, matrix, with_matrix
from roost.carriers.registry import CARRIERS
from support import acme
from support.databases import Database
from support.house import House
from support.outbound import CONTACT, is_settled, send, until
from support.scripted_api import Said, ScriptedApi


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CARRIERS, acme.NAME, acme)


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    running = House(database, tmp_path / "data", working=True, segments_per_second=0).start()
    yield running
    running.stop()


def test_one_file_receives_and_sends(house: House) -> None:
    with ScriptedApi(lambda asked: Said(202, {"id": "a-1"})) as api:
        tenant = house.tenant(carrier="acme", secrets={"api_token": "t", "api_url": api.base_url})
        event = {"kind": "text", "id": "m-1", "from": CONTACT, "to": tenant.number.number, "words": "hello"}
        assert house.deliver(tenant, event).json()["stored"] == 1
        assert house.deliver(tenant, event).json()["duplicates"] == 1
        assert house.deliver(tenant, {"kind": "novelty"}).json()["unrouted"] == 1
        assert house.http.post(tenant.webhook, json=event).status_code == 401
        assert [message["body"] for message in house.inbound(tenant)] == ["hello"]
        message_id = send(house, tenant, body="hi")
        until(house, tenant, message_id, is_settled)
        assert api.wait_for(1)[0].fields == {
            "to": CONTACT,
            "from": tenant.number.number,
            "words": "hi",
            "reference": message_id,
        }
        told = {"kind": "status", "word": "THERE", "id": "a-1", "to": CONTACT, "reference": message_id}
        house.deliver(tenant, told)
        assert until(house, tenant, message_id, is_settled).status == "delivered"


def test_the_command_line_and_the_documentation_know_it() -> None:
    assert new_secrets("acme", {"api_token": "t"}).secrets["api_token"] == "t"
    with pytest.raises(ValueError, match="--api-token"):
        new_secrets("acme", {"api_key": "t"})
    assert "| [acme](carriers/acme.md) | POST |" in matrix()
    page = with_matrix(f"before\n{BEGIN}\nold\n{END}\nafter")
    assert (page.startswith(f"before\n{BEGIN}\n\n| carrier |"), page.endswith(f"{END}\nafter")) == (True, True)
    with pytest.raises(ValueError, match="marks"):
        with_matrix("nothing")
