"""`roost login` and `roost logout`."""

from pathlib import Path

import httpx
import pytest

from support.commands import RunningRoost, environment, roost, roost_json
from support.databases import Database


@pytest.fixture
def env(database: Database, tmp_path: Path) -> dict[str, str]:
    return environment(database, tmp_path / "data")


def test_a_link_is_printed_that_signs_in_once_and_everybody_can_be_signed_out(env: dict[str, str]) -> None:
    assert "make one first" in roost("login", env=env).stderr
    roost_json("org", "create", "Acme", env=env)
    server = RunningRoost("serve", env=env)
    try:
        url = roost("login", env=env).stdout.strip()
        assert url.startswith(f"{server.base_url}/inbox/sign-in/")
        with httpx.Client(base_url=server.base_url, headers={"Origin": server.base_url}) as browser:
            assert "Open the inbox" in browser.get(url).text
            form = {"link": url.rpartition("/")[2]}
            assert [browser.post("/inbox/sign-in", data=form).status_code for _ in range(2)] == [303, 401]
            assert browser.get("/inbox").status_code == 200
            assert roost_json("logout", "--org", "Acme", env=env)["sessions_ended"] == 1
        roost_json("org", "create", "Other", env=env)
        assert "there are several" in roost("login", env=env).stderr
        assert roost_json("login", "--org", "Other", "--scope", "messages:read", env=env)["url"] != url
    finally:
        server.stop()
