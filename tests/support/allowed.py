"""Credentials for the routes of self-service."""

from typing import Any

from eth_account import Account
from oneshot.x402 import sign_read_proof

from roost.core.scopes import SCOPES
from support.house import House, Tenant

UNKNOWN_ID = "01900000-0000-7000-8000-000000000000"


def allowed(house: House, tenant: Tenant, *scopes: str) -> dict[str, str]:
    """The header of a key with these scopes, or with all of them."""
    issued = house.wait(house.directory.create_api_key(tenant.org.org_id, "allowed", list(scopes or SCOPES), None))
    return {"Authorization": f"Bearer {issued.plaintext}"}


def but(*missing: str) -> list[str]:
    """All scopes but these."""
    return [scope for scope in SCOPES if scope not in missing]


class Signer:
    """An agent with a wallet key of its own, registered with a tenant."""

    def __init__(
        self, house: House, tenant: Tenant, private_key: str = "0x" + "4c" * 32, *, open_: bool = False
    ) -> None:
        self.private_key = private_key
        self.address = str(Account.from_key(private_key).address)
        agent = house.wait(house.directory.add_agent(tenant.org.org_id, self.address, open_=open_))
        assert agent is not None
        self.agent = agent

    def headers(self, scope: str = "write", **more: str) -> dict[str, str]:
        """Of one request: a proof works once."""
        proof = sign_read_proof(self.private_key, self.address, scope=scope)
        return {"X-Agent-ID": self.address, "x-agent-proof": proof, **more}


def assert_guarded(
    house: House, tenant: Tenant, method: str, path: str, scope: str, theirs: str, body: Any = None
) -> None:
    """401 without a key, 403 without its scope; and where the path has an id: 404 for one that is nobody's or another's,
    400 for none."""

    def refusal(path_id: str, headers: dict[str, str]) -> tuple[int, str]:
        return error_of(house.http.request(method, path.replace(UNKNOWN_ID, path_id), json=body, headers=headers))

    assert refusal(UNKNOWN_ID, {}) == (401, "UNAUTHORIZED")
    assert refusal(UNKNOWN_ID, allowed(house, tenant, *but(scope))) == (403, "FORBIDDEN")
    if UNKNOWN_ID in path:
        auth = allowed(house, tenant)
        assert refusal(UNKNOWN_ID, auth) == refusal(theirs, auth) == (404, "NOT_FOUND")
        assert refusal("7", auth) == (400, "VALIDATION_FAILED")


def error_of(answer: Any) -> tuple[int, str]:
    """The status and code of a refusal, in either dialect."""
    error = answer.json()["error"]
    return answer.status_code, error if isinstance(error, str) else error["code"]
