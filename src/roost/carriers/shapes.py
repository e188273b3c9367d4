"""JSON objects that somebody else wrote, read by a declared shape; what is odd in one is read field by field.

Nearly all are as their carrier documents them, and those cost what decoding them costs.
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar, get_args

import msgspec
from msgspec.structs import fields

from roost.carriers.fields import object_of, text, texts, whole_number

Texts = tuple[Annotated[str, msgspec.Meta(min_length=1)], ...]
Whole = Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)] | None

Shape = TypeVar("Shape", bound=msgspec.Struct)

#: What a field of a shape may be, and how an odd value of it is read.
_READ: dict[Any, Callable[[Any], Any]] = {str: text, Texts: texts, Whole: whole_number}


def reader(shape: type[Shape]) -> Callable[[bytes], Shape]:
    """Reads an object's bytes as `shape`, of whose fields each is a `str`, `Texts`, `Whole`, or another shape or None.

    Each must have a default: a field of the wrong type is as good as missing. What is read raises ValueError if it is no object.
    """
    decode = msgspec.json.Decoder(shape).decode

    def read(raw: bytes) -> Shape:
        try:
            return decode(raw)
        except (ValueError, RecursionError):  # every decoding error is a ValueError
            return _mended(object_of(raw), shape)

    return read


def _mended(found: dict[str, Any], shape: type[Shape]) -> Shape:
    there = (field for field in fields(shape) if field.encode_name in found)
    return shape(**{field.name: _value(found[field.encode_name], field.type) for field in there})


def _value(found: Any, kind: Any) -> Any:
    if kind in _READ:
        return _READ[kind](found)
    [inner, _] = get_args(kind)
    return _mended(found, inner) if isinstance(found, dict) else None
