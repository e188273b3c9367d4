"""The OpenAPI document, held against the server by a tool that did not write either."""

import base64
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from roost.api.errors import is_oneshot
from support.house import BASIC, House, Tenant
from support.payloads import bandwidth_inbound

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def test_every_answer_matches_the_document(house: House) -> None:
    tenant = house.tenant()
    house.deliver(tenant, [bandwidth_inbound(str(n), tenant.number.number) for n in range(30)])
    document = house.http.get("/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.base_url = house.base_url
    called = set()
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=60,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
        )
        @given(case=operation.as_strategy())
        def call(case: Any) -> None:
            _point_at_what_exists(case, tenant)
            answer = case.call(headers=_credential(case, tenant))
            called.add((case.operation.path, answer.status_code))
            case.validate_response(answer, checks=CHECKS)

        call()
    statuses: dict[str, set[int]] = {}
    for path, status in called:
        statuses.setdefault(path, set()).add(status)
    assert set(statuses) == set(document["paths"]), "every route was called"
    assert {200, 422} <= statuses["/v1/inbound-messages"]
    assert 200 in statuses["/v1/tools/sms/inbox"]
    assert 200 in statuses["/carriers/{carrier}/{account_id}"]


def _credential(case: Any, tenant: Tenant) -> dict[str, str]:
    if is_oneshot(case.operation.path):
        return tenant.agent_header
    return tenant.auth if case.operation.path.startswith("/v1/") else {}


def _point_at_what_exists(case: Any, tenant: Tenant) -> None:
    """Half of the carrier's calls go to a real account, so that more than the refusal is tried."""
    if case.operation.path.startswith("/carriers") and len(str(case.body)) % 2:
        case.path_parameters = {"carrier": "bandwidth", "account_id": tenant.account.id}
        credential = base64.b64encode(":".join(BASIC).encode()).decode()
        case.headers = {**(case.headers or {}), "Authorization": f"Basic {credential}"}
