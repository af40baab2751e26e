"""The parts of a test file that run one by one: its module, and each function in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeGuard

from iterpref_assets.core.sandbox.inside import checks

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_DYNAMIC = frozenset({
    "globals", "locals", "vars", "dir", "eval", "exec", "getmembers", "defaultTestLoader",
})  # fmt: skip

_MAIN = "the block of __main__"
_GUARDS = ("__name__ == '__main__'", "'__main__' == __name__")


@dataclass(frozen=True, slots=True)
class Region:
    """A function of a test file, or all that runs when it is loaded.

    `name` is as `Class.method`; `owner` the class that it is right in; `replaced` whether a later
    definition of its name, or of a class around it, takes its place before anything uses it.
    """

    name: str
    node: FunctionNode | ast.Module
    owner: ast.ClassDef | None = None
    top: bool = False
    replaced: bool = False

    @property
    def plain_name(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]

    @property
    def is_test(self) -> bool:
        """Whether it is named as tests are, at a place where tests are."""
        return (self.top or self.owner is not None) and self.plain_name.startswith("test")

    @property
    def decorators(self) -> list[ast.expr]:
        """What it is handed to when it is defined."""
        return self.node.decorator_list if is_function(self.node) else []

    def own(self) -> list[ast.AST]:
        """What runs with it: nothing within the functions that it defines."""
        return list(_own(self.node))

    def checks(self) -> list[ast.stmt]:
        """The checks that it makes itself."""
        return [each for each in self.own() if isinstance(each, ast.stmt) and checks.is_check(each)]

    def names(self) -> set[str]:
        """The names that it uses, those of attributes too."""
        found: set[str] = set()
        for node in self.own():
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
        return found

    def calls(self) -> set[str]:
        """The names that it calls, as `f()` or `self.f()`."""
        lambdas = [each for each in self.own() if isinstance(each, ast.Lambda)]
        later = {id(part) for each in lambdas for part in ast.walk(each)}
        called = [
            node.func for node in self.own() if isinstance(node, ast.Call) and id(node) not in later
        ]
        return {checks.name_of(each) for each in called if _is_near(each)}

    def looks_names_up(self) -> bool:
        """Whether it may find functions by names that reading does not tell."""
        return bool(self.names() & _DYNAMIC) or any(map(_gets_attribute, self.own()))

    def is_generator(self) -> bool:
        """Whether calling it runs nothing before it is iterated over."""
        return any(isinstance(each, ast.Yield | ast.YieldFrom) for each in self.own())


def regions(tree: ast.Module, *, as_script: bool) -> tuple[Region, list[Region]]:
    """The module, and the functions in `tree`, in order, at any depth.

    A block of `__main__` is part of the module of a script; otherwise it is a region of its own,
    because the file is imported then.
    """
    functions = list(_functions(tree, "", None, True, False))
    body: list[ast.stmt] = []
    for statement in tree.body:
        if not _is_main_guard(statement):
            body.append(statement)
        elif as_script:
            body += statement.body
        else:
            functions.append(Region(_MAIN, ast.Module(statement.body, [])))
    return Region("", ast.Module(body, [])), functions


def _is_main_guard(node: ast.AST) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and ast.unparse(node.test) in _GUARDS


def is_function(node: ast.AST) -> TypeGuard[FunctionNode]:
    """Whether a node defines a function."""
    return isinstance(node, FunctionNode)


def _functions(
    node: ast.AST, prefix: str, owner: ast.ClassDef | None, top: bool, replaced: bool
) -> Iterator[Region]:
    lost = _replaced(getattr(node, "body", None))
    for child in ast.iter_child_nodes(node):
        gone = replaced or child in lost
        if is_function(child):
            yield Region(prefix + child.name, child, owner, top, gone)
            yield from _functions(child, f"{prefix}{child.name}.", None, False, gone)
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.", child, False, gone)
        else:
            yield from _functions(child, prefix, owner, top, gone)


def _replaced(body: object) -> list[ast.AST]:
    """The definitions in a block which a later one of their name follows, and no use of it."""
    lost: list[ast.AST] = []
    defined: dict[str, ast.AST] = {}
    for statement in body if isinstance(body, list) else ():
        parts = _evaluated(statement) if is_function(statement) else [statement]
        for used in (each for part in parts for each in (part, *_own(part))):
            if isinstance(used, ast.Name):
                defined.pop(used.id, None)
        if is_function(statement) or isinstance(statement, ast.ClassDef):
            if statement.name in defined:
                lost.append(defined[statement.name])
            defined[statement.name] = statement
    return lost


def _own(node: ast.AST) -> Iterator[ast.AST]:
    below = node.body if is_function(node) else ast.iter_child_nodes(node)
    for child in below:
        if is_function(child):
            for part in _evaluated(child):
                yield part
                yield from _own(part)
        else:
            yield child
            yield from _own(child)


def _evaluated(node: FunctionNode | ast.ClassDef) -> list[ast.expr]:
    """What the definition itself evaluates: decorators, bases and defaults."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *(each.value for each in node.keywords)]
    defaults = [each for each in node.args.kw_defaults if each is not None]
    return [*node.decorator_list, *node.args.defaults, *defaults]


def _is_near(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute):
        return isinstance(function.value, ast.Name) and function.value.id in ("self", "cls")
    return isinstance(function, ast.Name)


def _gets_attribute(node: ast.AST) -> bool:
    """Whether it is `getattr` of a name that is no constant."""
    return (
        isinstance(node, ast.Call)
        and checks.name_of(node.func) == "getattr"
        and not any(isinstance(each, ast.Constant) for each in node.args[1:2])
    )
