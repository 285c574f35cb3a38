"""Checked: what a browser sends to a function of the page is looked at before the function is called."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException

from digits.errors import shown


def checked(action: Callable[..., Any], arguments: object) -> dict[str, Any]:
    """The arguments, by name, if the action takes them and each is of the type that it names.

    Raises HTTPException 400 with a plain sentence.
    """
    if not isinstance(arguments, dict):
        raise HTTPException(400, f"{action.__name__} takes an object with its arguments by name.")
    try:
        inspect.signature(action).bind(**arguments)
    except TypeError as error:
        raise HTTPException(400, f"{action.__name__}: {shown(str(error))}.") from error
    for name, hint in typing.get_type_hints(action).items():
        if name in arguments and not _fits(arguments[name], hint):
            received = type(arguments[name]).__name__
            raise HTTPException(400, f"{action.__name__}: {name} is of the wrong type. Received: {received}.")
    return arguments


def _fits(value: object, hint: Any) -> bool:
    """Whether a JSON value is of a type, of one of several, or a list or an object of such values, named or not."""
    kind, parts = typing.get_origin(hint), typing.get_args(hint)
    if kind is types.UnionType:
        return any(_fits(value, part) for part in parts)
    if kind is list:
        return isinstance(value, list) and all(_fits(each, parts[0]) for each in value)
    if kind is dict:
        return isinstance(value, dict) and all(_fits(each, parts[1]) for each in value.values())
    if typing.is_typeddict(hint):
        named = typing.get_type_hints(hint)
        return (
            isinstance(value, dict) and value.keys() == named.keys() and all(_fits(value[k], named[k]) for k in named)
        )
    return type(value) is hint
