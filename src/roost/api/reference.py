"""The API reference as one HTML page, rendered from the OpenAPI document."""

import re
from functools import lru_cache
from typing import Any, NamedTuple

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
    templates.filters["fields"] = fields_of
    return templates.get_template("reference.html")


class Field(NamedTuple):
    """A field of a request's body."""

    name: str
    takes: str
    is_required: bool


def fields_of(operation: dict[str, Any], document: dict[str, Any]) -> list[Field]:
    """Of the JSON body that an operation takes; none where it takes any, or no body."""
    content = operation.get("requestBody", {"content": {}})["content"]
    schema = _resolved(content.get("application/json", {}).get("schema", {}), document)
    required = schema.get("required", [])
    return [
        Field(name, _takes(each, document), name in required) for name, each in schema.get("properties", {}).items()
    ]


def _takes(schema: dict[str, Any], document: dict[str, Any]) -> str:
    """A schema in a few words."""
    schema = _resolved(schema, document)
    if "enum" in schema:
        return " or ".join(str(each) for each in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_takes(each, document) for each in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {_takes(schema.get('items', {}), document)}"
    return str(schema.get("type", "anything"))


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _prose(text: str) -> Markup:
    """Escaped, with what stands between backticks as code: the one piece of Markdown that our descriptions use."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just before
