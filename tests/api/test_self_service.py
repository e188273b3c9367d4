"""What holds for every route of self-service: its document is true, and it fails as all others do."""

from typing import Any

import pytest

from roost.store.errors import StoreUnavailable
from support.allowed import Signer, allowed, error_of
from support.house import House

UNKNOWN_ID = "01900000-0000-7000-8000-000000000000"
PREFIXES = ("/v1/api-keys", "/v1/phone-numbers", "/v1/organization", "/v1/contacts", "/v1/audit-log", "/v1/agents")


def _operations(house: House) -> list[tuple[str, str, dict[str, Any]]]:
    paths = house.http.get("/openapi.json").json()["paths"]
    found = [
        (method.upper(), path.format(id=UNKNOWN_ID, contact_number="%2B15554443333"), operation)
        for path, methods in paths.items()
        if path.startswith(PREFIXES)
        for method, operation in methods.items()
    ]
    assert len(found) == 18
    return found


def test_a_documented_body_has_the_fields_that_are_taken_and_no_other(house: House) -> None:
    tenant = house.tenant()
    auth = allowed(house, tenant)
    schemas = house.http.get("/openapi.json").json()["components"]["schemas"]
    for method, path, operation in _operations(house):
        if "requestBody" not in operation or path.startswith("/v1/agents"):
            continue
        name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        if path.startswith("/v1/phone-numbers/"):
            path = path.replace(UNKNOWN_ID, tenant.number.id)
        error = house.http.request(method, path, json={"nope": 1}, headers=auth).json()["error"]
        documented = set(schemas[name]["properties"])
        if name == "NumberChange":  # which says 400, and what it takes in its description
            assert all(f"`{field}`" in operation["description"] for field in documented)
        else:
            taken = error["details"]["nope"].partition("it takes ")[2]
            assert taken == ", ".join(sorted(documented)), name


def test_every_route_says_when_the_database_cannot_be_reached(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    operations = _operations(house)
    signer = Signer(house, house.tenant())

    async def gone(*_: Any) -> Any:
        raise StoreUnavailable("connection to 10.0.0.7 refused")

    monkeypatch.setattr(house.store, "fetch", gone)
    for method, path, operation in operations:
        assert {"401", "503"} <= set(operation["responses"]), path
        headers = signer.headers() if path.startswith("/v1/agents") else {"Authorization": "Bearer am_live_x"}
        answer = house.http.request(method, path, headers=headers)
        assert error_of(answer) == (
            (503, "service_unavailable") if path.startswith("/v1/agents") else (503, "UNAVAILABLE")
        )
        assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/api-keys"), ("POST", "/v1/phone-numbers"), ("PATCH", "/v1/organization"),
     ("PATCH", f"/v1/phone-numbers/{UNKNOWN_ID}")],
)  # fmt: skip
def test_a_huge_body_is_refused(house: House, method: str, path: str) -> None:
    auth = allowed(house, house.tenant())
    answer = house.http.request(method, path, content=b" " * ((1 << 20) + 1), headers=auth)
    assert error_of(answer) == (413, "PAYLOAD_TOO_LARGE")


def test_every_post_that_makes_something_takes_an_idempotency_key(house: House) -> None:
    makers = {path for method, path, _ in _operations(house) if method == "POST" and "contacts" not in path}
    taking = {
        path
        for _, path, operation in _operations(house)
        if any(parameter["name"] == "Idempotency-Key" for parameter in operation["parameters"])
    }
    assert taking == makers
