"""The API reference as one HTML page, rendered from the OpenAPI document."""

import re
from functools import lru_cache
from typing import Any

from jinja2 import Template
from markupsafe import Markup, escape

from roost.api.pages import environment

_CODE = re.compile(r"`([^`]+)`")


def reference_page(document: dict[str, Any]) -> str:
    """The page. Everything in it is escaped."""
    return _template().render(document=document)


@lru_cache(maxsize=1)
def _template() -> Template:
    templates = environment()
    templates.filters["prose"] = _prose
    return templates.get_template("reference.html")


def _prose(text: str) -> Markup:
    """Escaped, with what stands between backticks as code: the one piece of Markdown that our descriptions use."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just before
