"""Every route has an example, and every example does what it says."""

import shlex
from string import Template
from typing import Any

import httpx

from roost.api.examples import EXAMPLES, curl
from support.credentials import BASIC
from support.house import House
from support.media_server import PNG
from support.scene import Scene

#: The carrier's signature is made of what only the carrier knows, and the connection of a stream does not end.
_ELSEWHERE = {
    "GET /carriers/{carrier}/{account_id}": "tests/carriers",
    "GET /v1/events": "tests/push",
}
_VARIABLES = {
    "ROOST_API_KEY": "", "AGENT": "", "AGENT_TOKEN": "token", "MESSAGE_ID": "inbound", "MSG_ID": "msg_id", "SENT_ID": "sent",
    "QUEUED_ID": "queued", "THREAD_ID": "thread", "UPLOAD_TOKEN": "upload", "MEDIA_TOKEN": "medium", "QUOTE_ID": "quote",
    "REQUEST_ID": "request", "NOTIFICATION_ID": "notification", "NUMBER_ID": "number_id", "SPARE_NUMBER_ID": "spare_id",
    "CONSENT_ID": "consent", "FORM_TOKEN": "form", "BLOCKED_ID": "blocked", "KEY_ID": "key", "TOKEN_ID": "token_id",
    "ACCOUNT_ID": "account_id", "NUMBER": "number", "WEBHOOK_ID": "webhook",
    "DELIVERY_ID": "delivery",
}  # fmt: skip


def request_of(command: str, variables: dict[str, str]) -> dict[str, Any]:
    """What curl would send."""
    words = iter(shlex.split(command.replace("\\\n", " ")))
    assert next(words) == "curl"
    url, method, content, auth = "", None, None, None
    headers, query = dict[str, str](), dict[str, str]()
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = Template(next(words)).substitute(variables).partition(": ")
            headers[name] = value
        elif word == "-d":
            content = Template(next(words)).substitute(variables).encode()
            if "Content-Type" not in headers:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif word == "-u":
            user, _, password = Template(next(words)).substitute(variables).partition(":")
            auth = httpx.BasicAuth(user, password)
        elif word == "-T":
            assert next(words) == "photo.png"
            method, content = "PUT", PNG
        elif word == "--data-urlencode":
            name, _, value = Template(next(words)).substitute(variables).partition("=")
            query[name] = value
        elif word == "-o":
            next(words)
        else:
            assert word == "-G" or not word.startswith("-"), word
            url = url if word == "-G" else Template(word).substitute(variables)
    method = method or ("POST" if content is not None else "GET")
    url = httpx.URL(url).copy_merge_params(query)
    return {"method": method, "url": url, "headers": headers, "content": content, "auth": auth}


def test_every_route_has_an_example_and_every_example_a_route(house: House) -> None:
    paths = house.http.get("/openapi.json").json()["paths"]
    routes = {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}
    assert routes == set(EXAMPLES)
    page = house.http.get("/docs").text
    assert page.count("<pre") == len(EXAMPLES)


def test_every_example_does_what_it_says(house: House) -> None:
    scene = Scene(house)
    given = {name: scene.names.get(called, "") for name, called in _VARIABLES.items()}
    given |= {
        "ROOST_URL": str(house.http.base_url).rstrip("/"),
        "ROOST_API_KEY": scene.tenant.key,
        "AGENT": scene.signer.address,
        "BASIC_USER": BASIC[0],
        "BASIC_PASSWORD": BASIC[1],
    }
    wrong = []
    for route in EXAMPLES:
        if route in _ELSEWHERE:
            continue
        method, path = route.split(" ", 1)
        command = curl(method, path)
        assert command is not None
        variables = given | {"PROOF": scene.signer.headers("read" if method == "GET" else "write")["x-agent-proof"]}
        answer = house.http.request(**request_of(command, variables))
        if not answer.is_success:
            wrong.append(f"{route}: {answer.status_code} {answer.text[:300]}")
    assert not wrong, "\n".join(wrong)
