"""Running the lab's own programs, in this process: they are composed here, never model-written."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from types import FunctionType
from typing import Any, TypeAlias

from iterpref_assets.core.lab.inputs import Arguments

Function: TypeAlias = FunctionType


def load_function(code: str, entry_point: str) -> Function:
    """The function that `code`, composed by the lab, defines as `entry_point`.

    Raises:
        SyntaxError: worded as the sandbox words it, where `code` was damaged.
        KeyError: where it defines no such function.
    """
    namespace: dict[str, Any] = {}
    exec(compile(code, "<solution>", "exec", dont_inherit=True), namespace)  # noqa: S102
    return namespace[entry_point]


def behaviour_digest(function: Function, pool: Sequence[Arguments]) -> str:
    """A hash of the results on each input of `pool`."""
    text = "\n".join([repr(function(*arguments)) for arguments in pool])
    return hashlib.sha256(text.encode()).hexdigest()
