"""Pages for people: templates that escape whatever they are given."""

from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment() -> Environment:
    """Where this folder's templates are found."""
    return Environment(
        loader=PackageLoader("roost.api"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@lru_cache(maxsize=8)
def style(name: str) -> str:
    """A style sheet of the templates' folder, to stand in a page."""
    return files("roost.api").joinpath("templates", name).read_text("utf-8")
