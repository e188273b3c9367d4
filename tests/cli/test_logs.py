"""What a log holds, and what it never does."""

import json
from pathlib import Path

import httpx

from roost.logs import _frames
from support.commands import RunningRoost, environment, roost_json
from support.databases import Database
from support.payloads import bandwidth_inbound

WALLET = "0x52908400098527886E0F7030069857D2E4169EE8"


def test_no_secret_number_or_body_is_ever_logged(database: Database, tmp_path: Path) -> None:
    env = environment(database, tmp_path / "data", ROOST_LOG_LEVEL="debug")
    roost_json("org", "create", "Acme", env=env)
    account = roost_json("carrier", "add", "bandwidth", "--org", "Acme", env=env)
    roost_json("agent", "add", WALLET, "--org", "Acme", env=env)
    roost_json("number", "add", "+15551112222", "--org", "Acme", "--carrier", account["id"], "--agent", WALLET, env=env)
    key = roost_json("key", "create", "--org", "Acme", "--label", "x", "--scope", "messages:read", env=env)
    token = roost_json("token", "create", "--agent", WALLET, env=env)
    server = RunningRoost("serve", env=env)
    webhook = server.base_url + account["webhook_url"][account["webhook_url"].index("/carriers") :]
    credential = (account["basic_user"], account["basic_password"])
    mine = bandwidth_inbound("secret-id", "+15551112222", text="my card is 4111", sender="+15554443333")
    lost = bandwidth_inbound("secret-id", "+15559998888", text="my card is 4111", sender="+15554443333")
    agent = {"X-Agent-ID": WALLET}
    with httpx.Client(base_url=server.base_url) as client:
        statuses = {
            client.post(webhook, json=[mine, lost], auth=credential).status_code,
            client.post(webhook, json=[mine], auth=(credential[0], "wr0ng-password")).status_code,
            client.post(webhook, content=b"4111 \xff", auth=credential).status_code,
            client.get(
                "/v1/inbound-messages?from=%2B15554443333", headers={"Authorization": f"Bearer {key['plaintext']}"}
            ).status_code,
            client.get("/v1/inbound-messages?x=4111", headers={"Authorization": "Bearer am_live_guess"}).status_code,
            client.get(
                "/v1/tools/sms/inbox", headers={**agent, "Authorization": f"Bearer {token['token']}"}
            ).status_code,
            client.get("/v1/tools/sms/inbox", headers={**agent, "x-agent-proof": "bXkgY2FyZCBpcyA0MTEx"}).status_code,
            client.get("/v1/4111").status_code,
        }
    _, logged = server.stop()
    lines = [json.loads(line) for line in logged.splitlines()]
    assert {line["status"] for line in lines if line["event"] == "request"} == statuses == {200, 401, 404}
    assert all(len(line["request_id"]) == 26 for line in lines if line["event"] == "request")
    assert any(line["event"] == "unrouted" for line in lines)
    secrets = (
        "4111",
        "5554443333",
        "5551112222",
        "5559998888",
        "wr0ng",
        "secret-id",
        "am_live",
        "oneshot_",
        WALLET[2:],
    )
    for secret in (*secrets, *credential, "bXkg"):
        assert secret.lower() not in logged.lower(), secret


def test_an_exception_is_logged_by_its_type_and_frames_without_its_message() -> None:
    try:
        raise ValueError("invalid input for $7: 'my card is 4111'")
    except ValueError:
        event = _frames(None, "error", {"event": "request_failed", "exc_info": True})
    assert event["exception"] == "ValueError"
    assert event["frames"][0].startswith("test_logs.py:")
    assert "4111" not in json.dumps(event)
