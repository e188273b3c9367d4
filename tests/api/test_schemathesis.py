"""The OpenAPI document, held against the server by a tool that did not write either."""

import base64
from collections.abc import Callable
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from roost.store.directory import Number
from support.allowed import Signer, allowed
from support.databases import Database
from support.house import BASIC, House, Tenant
from support.payloads import bandwidth_inbound

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: Of each operation. What differs between the databases is below the answers' shapes: a sample will do for the second.
#: Twice as many reach no status more.
EXAMPLES = {"sqlite": 20, "postgres": 8}
CONTACT = "+15554443333"


def test_every_answer_matches_the_document(house: House, database: Database) -> None:
    house.wait(_told(house.push.stop))  # so that nobody waits, and no stream goes on for ever
    tenant = house.tenant()
    house.deliver(tenant, [bandwidth_inbound(str(n), tenant.number.number) for n in range(30)])
    document = house.http.get("/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.base_url = house.base_url
    key, signer = allowed(house, tenant), Signer(house, tenant, open_=True)
    number = house.wait(
        house.directory.add_number(tenant.org.org_id, "+15559990000", tenant.account.id, signer.agent.id, "")
    )
    assert number is not None
    house.deliver(tenant, [bandwidth_inbound("signer", number.number)])
    called, session = set(), requests.Session()
    session.trust_env = False
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=EXAMPLES[database.kind],
            deadline=None,
            derandomize=True,  # which statuses are reached may not be a matter of luck
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
        )
        @given(case=operation.as_strategy())
        def call(case: Any) -> None:
            _point_at_what_exists(case, tenant, number)
            answer = case.call(session=session, headers=_credential(case, key, signer))
            called.add((case.operation.path, answer.status_code))
            has_no_room = case.operation.path == "/v1/events" and answer.status_code == 503
            case.validate_response(answer, checks=CHECKS[1:] if has_no_room else CHECKS)

        call()
    session.close()
    statuses: dict[str, set[int]] = {}
    for path, status in called:
        statuses.setdefault(path, set()).add(status)
    assert set(statuses) == set(document["paths"]), "every route was called"
    if database.kind == "sqlite":
        _found_more_than_refusals(statuses)


async def _told(stop: Callable[[], None]) -> None:
    stop()


def _found_more_than_refusals(statuses: dict[str, set[int]]) -> None:
    assert {200, 422} <= statuses["/v1/inbound-messages"]
    assert {200, 422} <= statuses["/v1/inbound-messages/claim"]
    assert 200 in statuses["/v1/inbound-messages/ack"]
    assert 200 in statuses["/v1/tools/sms/inbox"]
    assert 200 in statuses["/carriers/{carrier}/{account_id}"]
    assert {200, 201} <= statuses["/v1/api-keys"]
    assert {200, 422} <= statuses["/v1/phone-numbers/{id}"]
    assert {200, 422} <= statuses["/v1/organization"]
    assert {200, 201} <= statuses["/v1/agents/me/access-tokens"]
    assert 200 in statuses["/v1/agents/me"]
    assert 200 in statuses["/v1/audit-log"]
    assert {201, 422} <= statuses["/v1/consent"]
    assert {202, 422} & statuses["/v1/consent/double-opt-in"]
    assert 201 in statuses["/v1/consent/hosted"]
    assert {200, 201} <= statuses["/v1/blocked-senders"]
    assert 202 in statuses["/v1/messages"]
    assert {400, 402} & statuses["/v1/tools/sms/send"]


def _credential(case: Any, key: dict[str, str], signer: Signer) -> dict[str, str]:
    path = case.operation.path
    if path.startswith("/v1/agents"):
        return signer.headers("read" if case.operation.method.upper() == "GET" else "write")
    if path.startswith(("/v1/tools", "/v1/requests")):
        return {"X-Agent-ID": signer.address}
    return key if path.startswith("/v1/") else {}


def _point_at_what_exists(case: Any, tenant: Tenant, number: Number) -> None:
    """Half of the carrier's calls go to a real account, and half of the bodies name a real number: so more than refusals
    are tried."""
    path, half = case.operation.path, len(str(case.body)) % 2
    if path.startswith("/carriers") and half:
        case.path_parameters = {"carrier": "bandwidth", "account_id": tenant.account.id}
        credential = base64.b64encode(":".join(BASIC).encode()).decode()
        case.headers = {**(case.headers or {}), "Authorization": f"Basic {credential}"}
    if path == "/v1/phone-numbers/{id}" and case.operation.method.upper() != "DELETE":
        case.path_parameters = {"id": number.id}
    if isinstance(case.body, dict) and half:
        case.body = {**case.body, **_real(path, case.body, tenant)}


def _real(path: str, body: dict[str, Any], tenant: Tenant) -> dict[str, Any]:
    """What the body has to say instead."""
    if path == "/v1/phone-numbers":
        return {"carrier_account_id": tenant.account.id, "number": f"+1555{len(str(body)):07}"}
    if path == "/v1/messages":
        return {"from": tenant.number.number, "to": CONTACT, "text": "Hi", "media": [], "media_id": None}
    if path == "/v1/tools/sms/send":
        return {"to_number": CONTACT}
    return {"phone_number_id": tenant.number.id} if "phone_number_id" in body else {}
