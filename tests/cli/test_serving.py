"""Starting and stopping: settings, signals, the demo, health."""

import json
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from support.commands import ROOST, RunningRoost, environment, roost, roost_json
from support.databases import Database


@pytest.fixture
def env(database: Database, tmp_path: Path) -> dict[str, str]:
    return environment(database, tmp_path / "data")


@pytest.fixture
def plain_env(tmp_path: Path) -> dict[str, str]:
    return environment(Database("sqlite", "sqlite"), tmp_path / "data")


WRONG = [
    ("ROOST_PORT", "99999", "ROOST_PORT must be a port from 0 to 65535"),
    ("ROOST_PORT", "http", "ROOST_PORT must be a port"),
    ("ROOST_PORT", "-1", "ROOST_PORT must be a port"),
    ("ROOST_DATABASE_URL", "mysql://u:hunter2@h/d", "ROOST_DATABASE_URL must be sqlite or begin with postgresql://"),
    ("ROOST_PUBLIC_URL", "roost.example.com", "ROOST_PUBLIC_URL must look like https://roost.example.com"),
    ("ROOST_PUBLIC_URL", "ftp://x", "ROOST_PUBLIC_URL must look like"),
    ("ROOST_RATE_LIMITS", "maybe", "ROOST_RATE_LIMITS must be on or off"),
    ("ROOST_LIMIT_SENDS", "100", "ROOST_LIMIT_SENDS must look like 100/second (or minute, hour, day), not '100'"),
    ("ROOST_LIMIT_KEYS", "0/minute", "ROOST_LIMIT_KEYS must look like 100/second"),
    ("ROOST_REDIS_URL", "memcached://u:hunter2@h", "ROOST_REDIS_URL must look like redis://HOST:PORT"),
    ("ROOST_REDIS_URL", "redis://u:hunter2@h:port", "ROOST_REDIS_URL must look like redis://HOST:PORT"),
    ("ROOST_LOG_LEVEL", "loud", "ROOST_LOG_LEVEL must be debug or info"),
    ("ROOST_SECRET_KEY", "short", "ROOST_SECRET_KEY cannot be used: it must be 32 bytes in base64"),
    ("ROOST_HOST", "no.such.host.invalid", "cannot listen on no.such.host.invalid"),
    ("ROOST_PROCESSES", "2", "ROOST_PROCESSES must be 1 on SQLite, which has one writer; several need PostgreSQL"),
    ("ROOST_PROCESSES", "0", "ROOST_PROCESSES must be a whole number from 1 to 256, not '0'"),
    ("ROOST_DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:1/d", "the database cannot be used now"),
]


@pytest.mark.parametrize(("name", "value", "line"), WRONG, ids=[f"{name}={value}" for name, value, _ in WRONG])
def test_a_wrong_setting_stops_the_start_with_one_line(
    plain_env: dict[str, str], name: str, value: str, line: str
) -> None:
    refused = roost("serve", env={**plain_env, "ROOST_PORT": "0", name: value})  # a demo may have 8080
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert len(refused.stderr.splitlines()) == 1, refused.stderr
    assert line in refused.stderr
    assert "hunter2" not in refused.stderr


def test_a_port_in_use_and_a_data_directory_that_cannot_be_stop_the_start(
    plain_env: dict[str, str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = roost("serve", "--port", str(taken.getsockname()[1]), env=plain_env)
        assert "Address already in use" in refused.stderr
    (tmp_path / "file").write_text("")
    assert "ROOST_DATA_DIR" in roost("serve", "--data-dir", str(tmp_path / "file" / "x"), env=plain_env).stderr


def test_an_unknown_setting_only_warns(plain_env: dict[str, str]) -> None:
    server = RunningRoost("serve", env={**plain_env, "ROOST_PROT": "9000"})
    code, logged = server.stop()
    assert code == 0
    warnings = [json.loads(line) for line in logged.splitlines() if "unknown_setting" in line]
    assert [(each["name"], each["level"]) for each in warnings] == [("ROOST_PROT", "warning")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_exit_code_0(env: dict[str, str], number: signal.Signals) -> None:
    server = RunningRoost("serve", env=env)
    assert httpx.get(f"{server.base_url}/readyz").json() == {"status": "ready"}
    server.process.send_signal(number)
    _, logged = server.process.communicate(timeout=30)
    assert server.process.returncode == 0
    assert '"stopped"' in logged
    assert "Traceback" not in logged


def test_health_readiness_metrics_and_documents_are_served(env: dict[str, str]) -> None:
    server = RunningRoost("serve", env=env)
    try:
        with httpx.Client(base_url=server.base_url) as client:
            assert client.get("/healthz").json() == {"status": "ok"}
            assert client.get("/openapi.json").json()["openapi"].startswith("3.1")
            page = client.get("/docs")
            assert "/v1/inbound-messages" in page.text
            assert page.headers["content-security-policy"].startswith("default-src 'none'")
            metrics = client.get("/metrics").text
            assert 'roost_requests_total{route="/healthz",status="200"} 1.0' in metrics
    finally:
        server.stop()


def test_the_data_directory_is_its_owners_alone(plain_env: dict[str, str]) -> None:
    server = RunningRoost("serve", env=plain_env)
    data_dir = Path(plain_env["ROOST_DATA_DIR"])
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    for file in ("roost.db", "secret.key"):
        assert stat.S_IMODE((data_dir / file).stat().st_mode) == 0o600
    server.stop()
    assert not (data_dir / "server.json").exists()


def test_a_database_does_not_open_with_another_secret_key(env: dict[str, str], tmp_path: Path) -> None:
    roost_json("org", "create", "Acme", env=env)
    key = "A" * 43 + "="
    refused = roost("org", "create", "Other", env={**env, "ROOST_SECRET_KEY": key})
    assert refused.returncode == 1
    assert "ROOST_SECRET_KEY" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_key_from_the_environment_leaves_no_key_file(plain_env: dict[str, str]) -> None:
    roost_json("org", "create", "Acme", env={**plain_env, "ROOST_SECRET_KEY": "A" * 43 + "="})
    assert not (Path(plain_env["ROOST_DATA_DIR"]) / "secret.key").exists()


def test_the_demo_shows_five_texts_and_goes_on_with_them_the_next_time(env: dict[str, str]) -> None:
    data_dir = Path(env["ROOST_DATA_DIR"])
    first = RunningRoost("demo", env=env)
    try:
        demo = json.loads((data_dir / "demo.json").read_text())
        wanted = {"base_url", "org_id", "api_key", "agent", "number", "bandwidth_number", "webhook_url", "basic_user"}
        assert wanted | {"basic_password"} <= set(demo)
        assert stat.S_IMODE((data_dir / "demo.json").stat().st_mode) == 0o600
        assert demo["base_url"] == first.base_url
        assert "Open the inbox" in httpx.get(demo["inbox_url"]).text
        with httpx.Client(base_url=demo["base_url"], headers={"Authorization": f"Bearer {demo['api_key']}"}) as client:
            deadline = time.monotonic() + 10
            texts: list[dict[str, object]] = []
            while len(texts) < 5 and time.monotonic() < deadline:
                texts = client.get("/v1/inbound-messages").json()["data"]
            assert len(texts) == 5, "all five within ten seconds"
            assert {each["channel"] for each in texts} == {"sms", "mms"}
            assert [each["body"] for each in texts if each["opt_out"] == {"detected": True, "keyword": "STOP"}] == [
                "STOP"
            ]
            assert "68849" in {each["from"] for each in texts}
            assert {each["to"] for each in texts} == {demo["number"], demo["bandwidth_number"]}
            inbox = client.get("/v1/tools/sms/inbox", headers={"X-Agent-ID": demo["agent"]}).json()
            assert inbox["count"] == 5
            assert_that_a_conversation_was_shown(first, client)
    finally:
        code, _ = first.stop()
    assert code == 0
    second = RunningRoost("demo", env=env)
    try:
        again = json.loads((data_dir / "demo.json").read_text())
        kept = ("org_id", "api_key", "agent", "number", "basic_password")
        assert {name: again[name] for name in kept} == {name: demo[name] for name in kept}
        headers = {"Authorization": f"Bearer {again['api_key']}"}
        assert len(httpx.get(f"{second.base_url}/v1/inbound-messages", headers=headers).json()["data"]) == 5
    finally:
        second.stop()


def assert_that_a_conversation_was_shown(running: RunningRoost, client: httpx.Client) -> None:
    """Sent, delivered, answered, one thread; a STOP, its confirmation, a refusal: on the screen and in the lists."""
    assert running.process.stderr is not None
    shown = ""
    while "That was all" not in shown:
        shown += running.process.stderr.readline()
    order = ["[queued]", "[delivered ", "[in reply to it: thread ", ": STOP", "unsubscribed", "453 CONSENT_REQUIRED"]
    places = [shown.index(each) for each in order]
    assert places == sorted(places)
    sent = client.get("/v1/messages").json()["data"]
    assert [message["status"] for message in sent] == ["delivered", "delivered"]  # the answer, and the confirmation
    thread_id = sent[1]["id"]
    messages = client.get(f"/v1/threads/{thread_id}/messages").json()["data"]
    assert [message["direction"] for message in messages] == ["outbound", "inbound"]


def test_the_demo_listens_on_loopback_only(plain_env: dict[str, str]) -> None:
    refused = roost("demo", "--host", "0.0.0.0", env=plain_env)
    assert refused.returncode == 1
    assert "loopback" in refused.stderr


def test_the_lines_that_the_demo_prints_can_be_pasted(plain_env: dict[str, str]) -> None:
    command = [ROOST, "demo", "--port", "0"]
    env = {**plain_env, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        printed = ""
        while "Five texts arrive now" not in printed:
            printed += process.stdout.readline()
        pasted = [
            subprocess.run(["bash", "-c", block.strip()], capture_output=True, text=True, timeout=30, check=True).stdout
            for block in printed.split("\n\n")
            if block.strip().startswith(("curl", "/")) or " simulate " in block
        ]
        assert len(pasted) == 6
        assert json.loads(pasted[0])["success"] is True
        assert "messages" in json.loads(pasted[1])
        assert json.loads(pasted[2])["stored"] == 1
        assert "Hello there" in pasted[3]
        assert json.loads(pasted[4])["data"]["status"] == "queued"
        assert "+14155551234" in {thread["contact_number"] for thread in json.loads(pasted[5])["data"]}
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0
