"""One error shape per dialect, over every path that can fail, and never a traceback or a secret."""

from typing import Any

import pytest

from roost.core.ids import parse_ulid
from roost.store.errors import StoreUnavailable
from support.house import House
from support.payloads import bandwidth_inbound

#: (method, path, status, code): what fails without any credential, in the shape of A ...
OF_A = [
    ("GET", "/", 404, "NOT_FOUND"),
    ("GET", "/v1/nothing", 404, "NOT_FOUND"),
    ("GET", "/v1/inbound-messages/", 404, "NOT_FOUND"),
    ("POST", "/v1/inbound-messages", 405, "METHOD_NOT_ALLOWED"),
    ("DELETE", "/healthz", 405, "METHOD_NOT_ALLOWED"),
    ("GET", "/carriers/bandwidth/01900000-0000-7000-8000-000000000000", 405, "METHOD_NOT_ALLOWED"),
    ("GET", "/v1/inbound-messages", 401, "UNAUTHORIZED"),
    ("GET", "/v1/inbound-messages/not-a-uuid", 401, "UNAUTHORIZED"),
    ("POST", "/carriers/bandwidth/01900000-0000-7000-8000-000000000000", 401, "UNAUTHORIZED"),
    ("POST", "/carriers/none/01900000-0000-7000-8000-000000000000", 404, "NOT_FOUND"),
]
#: ... and in the shape of B.
OF_B = [
    ("GET", "/v1/tools/nothing", 404, "not_found"),
    ("PUT", "/v1/tools/sms/inbox", 405, "method_not_allowed"),
    ("GET", "/v1/tools/sms/inbox", 401, "unauthorized"),
    ("GET", "/v1/tools/sms/inbox/msg_1", 401, "unauthorized"),
    ("GET", "/v1/requests/req_1", 401, "unauthorized"),
    ("POST", "/v1/tools/sms/send", 401, "unauthorized"),
    ("GET", "/v1/tools/notifications", 401, "unauthorized"),
]


def test_every_refusal_of_dialect_a_has_its_shape(house: House) -> None:
    for method, path, status, code in OF_A:
        answer = house.http.request(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), path
        body = answer.json()
        assert set(body) == {"success", "error"}
        assert body["success"] is False
        assert set(body["error"]) == {"code", "message", "request_id"}
        assert body["error"]["code"] == code, path
        assert parse_ulid(body["error"]["request_id"])
        assert answer.headers["x-request-id"] == body["error"]["request_id"]
        assert ("allow" in answer.headers) == (status == 405)


def test_every_refusal_of_dialect_b_has_its_shape(house: House) -> None:
    for method, path, status, code in OF_B:
        answer = house.http.request(method, path)
        assert (answer.status_code, answer.json()["error"]) == (status, code), path
        assert set(answer.json()) == {"error", "message"}
        assert parse_ulid(answer.headers["x-request-id"])


@pytest.mark.parametrize("path", ["/v1/inbound-messages", "/v1/tools/sms/inbox"])
def test_an_unreachable_database_is_a_503_that_says_when_to_come_back(
    house: House, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    tenant = house.tenant()

    async def gone(*_: Any) -> Any:
        raise StoreUnavailable("connection to 10.0.0.7 refused for user roost")

    monkeypatch.setattr(house.store, "list_inbound", gone)
    answer = house.http.get(path, headers={**tenant.auth, **tenant.agent_header})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "10.0.0.7" not in answer.text
    assert (path.startswith("/v1/tools")) == (answer.json()["error"] == "service_unavailable")


def test_a_carrier_is_told_to_come_back_when_nothing_could_be_stored(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = house.tenant()

    async def gone(*_: Any) -> Any:
        raise StoreUnavailable("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(house.store, "record", gone)
        answer = house.deliver(tenant, [bandwidth_inbound("1", tenant.number.number)])
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert house.deliver(tenant, [bandwidth_inbound("1", tenant.number.number)]).json()["stored"] == 1


def test_a_defect_is_a_500_without_a_word_about_itself(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = house.tenant()

    async def broken(*_: Any) -> Any:
        raise RuntimeError("the body was: my card is 4111")

    monkeypatch.setattr(house.store, "list_inbound", broken)
    answer = house.http.get("/v1/inbound-messages", headers=tenant.auth)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "INTERNAL")
    assert "4111" not in answer.text
    assert "Traceback" not in answer.text
