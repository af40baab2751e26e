"""Reading Python that others wrote, as syntax."""

from __future__ import annotations

import ast
import warnings


def parse(code: str) -> ast.Module | None:
    """The tree of `code`, or None where it is no Python; its warnings are not passed on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def same_program(first: str, second: str) -> bool:
    """Whether two programs differ in comments and layout at most."""
    if first.strip() == second.strip():
        return True
    tree, other = parse(first), parse(second)
    return tree is not None and other is not None and ast.dump(tree) == ast.dump(other)
