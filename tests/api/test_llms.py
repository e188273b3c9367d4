"""/llms.txt against the routes that there are."""

import re

from support.house import House

#: More than a model should have to read before it can do anything.
MOST_CHARACTERS = 12_000


def test_it_has_every_route_for_agents_once_and_nothing_that_there_is_not(house: House) -> None:
    answer = house.http.get("/llms.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    page, paths = answer.text, house.http.get("/openapi.json").json()["paths"]
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in paths.items()
        for method, operation in methods.items()
    }
    listed = re.findall(r"^- `([A-Z]+ [^`]+)`: (.*)$", page, re.MULTILINE)
    wanted = {name for name, operation in operations.items() if not {"Intake", "Operations"} & {*operation["tags"]}}
    assert sorted(name for name, _ in listed) == sorted(wanted)
    for name, said in listed:
        operation = operations[name]
        assert operation["summary"] in said
        scope = re.search(r"Requires the `([^`]+)` scope", operation["description"])
        assert re.findall(r"\(scope `([^`]+)`\)", said) == ([scope[1]] if scope else [])
        query = [each["name"] for each in operation["parameters"] if each["in"] == "query"]
        assert said.endswith(f"Query: {', '.join(query)}." if query else ".")
    mentioned = set(re.findall(r"`([A-Z]+ /v1/[^`?]+)", page))
    assert mentioned <= set(operations)
    assert house.base_url in page
    assert len(page) < MOST_CHARACTERS
