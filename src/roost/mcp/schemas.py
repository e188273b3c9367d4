"""JSON Schemas of arguments and answers, in as few tokens as say the same."""

from typing import Any

import msgspec


def input_schema(question: type[msgspec.Struct]) -> dict[str, Any]:
    """With what is optional simply not required: no nulls, no titles."""
    schema = _resolved(question)
    properties = {name: _plain(each) for name, each in schema["properties"].items()}
    return _object(properties, schema.get("required", ()))


def output_schema(answer: type[msgspec.Struct]) -> dict[str, Any]:
    """The outermost level; what is below is what every answer has, and the documentation describes."""
    schema = _resolved(answer)
    properties = {name: {"type": _plain(each)["type"]} for name, each in schema["properties"].items()}
    return _object(properties, schema.get("required", ()))


def _resolved(of: type[msgspec.Struct]) -> dict[str, Any]:
    (_,), components = msgspec.json.schema_components([of])
    schema: dict[str, Any] = components[of.__name__]
    return schema


def _object(properties: dict[str, Any], required: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    return {**schema, "required": list(required)} if required else schema


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    options = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    chosen = {**schema, **(options[0] if options else {})}
    return {name: value for name, value in chosen.items() if name != "anyOf" and value is not None}
