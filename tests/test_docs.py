"""What is documented is what there is."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import reference_pages

from roost.api.errors import _GENERAL
from roost.api.examples import EXAMPLES
from roost.carriers.matrix import with_matrix
from roost.carriers.registry import CARRIERS
from roost.cli import main
from roost.config import SETTINGS
from roost.core.scopes import SCOPES
from roost.metrics import REGISTRY
from support.house import House

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_readme_has_every_setting_as_the_code_has_it() -> None:
    for setting in SETTINGS:
        assert f"| `{setting.variable}` | `{setting.default}` | {setting.help} |" in README
    assert set(re.findall(r"^\| `(ROOST_\w+)`", README, re.MULTILINE)) == {setting.variable for setting in SETTINGS}


def test_the_readme_has_every_carrier() -> None:
    for carrier in CARRIERS:
        assert re.search(rf"^\| `{carrier}` \|", README, re.MULTILINE), carrier


def test_every_carrier_has_its_page() -> None:
    """Which says what `carrier add` takes, and how to see whether it is set up right."""
    assert {path.stem for path in (ROOT / "docs/carriers").glob("*.md")} == set(CARRIERS)
    for carrier in CARRIERS:
        assert f"roost carrier add {carrier} " in (ROOT / f"docs/carriers/{carrier}.md").read_text("utf-8"), carrier


def test_the_table_of_carriers_is_what_the_carriers_say() -> None:
    page = (ROOT / "docs/carriers.md").read_text("utf-8")
    assert page == with_matrix(page), "run: python -m roost.carriers.matrix docs/carriers.md"


def test_every_metric_is_explained() -> None:
    explained = (ROOT / "docs/metrics.md").read_text("utf-8")
    for metric in REGISTRY.collect():
        name = metric.name + ("_total" if metric.type == "counter" else "")
        assert f"| `{name}` |" in explained


def test_every_log_event_is_explained() -> None:
    explained = (ROOT / "docs/metrics.md").read_text("utf-8")
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "src/roost").rglob("*.py"))
    events = set(re.findall(r'log\.(?:debug|info|warning|error|exception)\(\s*"(\w+)"', source)) - {"demo_failed"}
    assert events
    for event in events:
        assert f"| `{event}` |" in explained


def test_every_command_is_in_the_changelog_and_says_what_it_does() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    for name, command in main.commands.items():
        assert re.search(rf"`(?:roost )?{name}\b", changes), name
        assert command.help
        for subcommand in getattr(command, "commands", {}).values():
            assert subcommand.help


def test_every_route_is_documented_with_a_summary_and_each_parameter_with_its_meaning(house: House) -> None:
    document = house.http.get("/openapi.json").json()
    page = house.http.get("/docs").text
    for path, methods in document["paths"].items():
        assert path in page
        for operation in methods.values():
            assert operation["summary"]
            assert operation["description"]
            assert all(parameter["description"] for parameter in operation["parameters"])
            assert all(response["description"] for response in operation["responses"].values())
    assert "<td><code>priority</code></td><td>default or high</td>" in page, "the fields of a body too"


def test_every_general_refusal_says_what_to_do() -> None:
    for code_a, code_b, message in _GENERAL.values():
        assert code_a == code_a.upper()
        assert code_b == code_b.lower()
        assert message


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    """Or to a page that is made with the site; `make docs` knows those as well, and what stands behind a #."""
    made = {ROOT / "docs/reference" / name for name in reference_pages.pages()}
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            to = (page.parent / target).resolve()
            assert to.exists() or to in made, f"{page.name} links to {target}"


def test_every_page_is_in_the_contents_of_the_site() -> None:
    index = (ROOT / "docs/index.md").read_text("utf-8")
    listed = {line.strip() for line in index.splitlines()}
    for page in ROOT.glob("docs/**/*.md"):
        name = str(page.relative_to(ROOT / "docs").with_suffix(""))
        in_glob = name.partition("/")[0] + "/*" in listed or name.startswith("decisions/")
        assert name in listed or in_glob or name == "index" or name.startswith("reference/"), f"{name} is in no toctree"


def test_the_reference_has_every_route_scope_command_and_setting() -> None:
    """What is made from the code: nothing is left out on the way."""
    pages = reference_pages.pages()
    for command in _commands(main, "roost"):
        assert f"\n```sh\n{command}" in pages["commands.md"], command
    for scope in SCOPES:
        assert f"\n| `{scope}` | " in pages["scopes.md"]
    for setting in SETTINGS:
        assert f"\n| `{setting.variable}` | " in pages["settings.md"]
    for route in EXAMPLES:
        assert f"\n`{route}`\n" in pages["api.md"]


def _commands(group: click.Group, called: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, f"{called} {name}")
        else:
            yield f"{called} {name}"
