"""Imports point one way, core is pure, and SQL lives in one folder."""

import ast
import re
import sys
from pathlib import Path

import pytest

import roost

ROOT = Path(roost.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

#: Each part may import itself, the parts before it, and what is listed as shared.
ORDER = [
    {"core"},
    {"client"},
    {"carriers", "store"},
    {"api"},
    {"push", "mcp"},
    {"web"},
    {"intake", "worker", "sweeper", "indexer", "media"},
    {"routing", "scrape"},
    {"app", "backfill"},
    {"server"},
    {"processes"},
    {"demo_picture"},
    {"demo_script"},
    {"demo"},
    {"cli"},
]
#: Leaves that any part but core may import: they import nothing of Roost but core and each other.
SHARED = {"config", "errors", "metrics", "tallies", "logs", "deliver", "wire", "wallet", "guard", "loop", "turns"}


def part_of(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports_of(path: Path) -> set[str]:
    """Full names of what a module imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            found.add(node.module or "")
    return found


def level_of(part: str) -> int:
    for level, parts in enumerate(ORDER):
        if part in parts:
            return level
    raise AssertionError(f"{part} has no place in the order of imports; give it one")


def wrong_imports(part: str, imported: set[str]) -> set[str]:
    """Of what a module of `part` imports, what it may not."""
    wrong = set()
    for name in imported:
        if name == "roost" or not name.startswith("roost."):
            continue
        other = name.split(".")[1]
        if part == other or part == "__init__":
            continue
        if part in SHARED:
            allowed = other in SHARED | {"core"}
        elif other in SHARED:
            allowed = part != "core"
        else:
            allowed = level_of(other) < level_of(part)
        if not allowed:
            wrong.add(name)
    return wrong


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    assert wrong_imports(part_of(path), imports_of(path)) == set()


def test_the_rule_itself_finds_what_points_the_wrong_way() -> None:
    assert wrong_imports("core", {"roost.store.base", "roost.config", "re"}) == {"roost.store.base", "roost.config"}
    assert wrong_imports("store", {"roost.api.auth", "roost.carriers.registry"}) == {
        "roost.api.auth",
        "roost.carriers.registry",
    }
    assert wrong_imports("cli", {"roost.app", "roost.core.ids", "roost.config"}) == set()


@pytest.mark.parametrize("path", sorted((ROOT / "core").glob("*.py")), ids=lambda path: path.name)
def test_core_imports_the_standard_library_only(path: Path) -> None:
    foreign = {name.split(".")[0] for name in imports_of(path)} - {"roost", "phonenumbers"} - sys.stdlib_module_names
    assert foreign == set()
    impure = {"asyncio", "datetime.datetime.now", "os", "random", "secrets", "socket", "time", "threading"}
    assert imports_of(path) & impure == set(), "core has no clock, no chance and no input or output"


def test_sql_lives_in_the_store() -> None:
    words = ("SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM")
    elsewhere = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if part_of(path) != "store"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.lstrip().startswith(words)
    ]
    assert elsewhere == []


def test_a_carrier_is_named_in_its_own_file_and_the_registry_only() -> None:
    """Beside those, only where an operator names one: the command line, the demo, and dialect A's own field names."""
    named = {
        str(path.relative_to(ROOT))
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value == "bandwidth"
    }
    assert named <= {"carriers/bandwidth.py", "cli/manage.py", "demo.py"}


def test_no_file_and_no_function_is_longer_than_one_can_read() -> None:
    long_files = {str(path): count for path in MODULES if (count := len(path.read_text("utf-8").splitlines())) > 350}
    assert long_files == {}


def test_no_group_is_repeated_possessively() -> None:
    """Python 3.11.2, which Debian 12 has, matches `(?:...)*+` wrong: it found no one-time code. An atomic group is right."""
    possessive = re.compile(r"\(\?.*\)(?:[*+?]|\{\d*,?\d*\})\+", re.DOTALL)
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and possessive.search(node.value)
    ]
    assert possessive.search(r"(?:[-.,:/ ]\d++)*+")
    assert found == []
