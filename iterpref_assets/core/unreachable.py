"""What of a program its tests do not reach: example usage, its own asserts, `__main__` blocks.

A test reaches the functions it asks for and all that these depend on. Whatever else a module does
when it is loaded shows the functions or tests them. A statement whose effect cannot be told counts
as reached.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from iterpref_assets.core.records import CodeTests, FunctionTests, Tests
from iterpref_assets.core.scopes import Unit, names_of, outermost, units
from iterpref_assets.core.showing import exits, fails_a_test, imported_names, shows
from iterpref_assets.core.syntax import has_lone_return, parse

MAX_CHARACTERS = 1 << 20
"""A longer program counts as reached whole: reading it would take memory in gigabytes."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_ACTING = frozenset({
    "__import__", "breakpoint", "delattr", "eval", "exec", "input", "open", "setattr",
})  # fmt: skip
"""Built-in functions that a loading module calls for what they do."""

_LOOKING_UP = frozenset({"eval", "exec", "globals", "locals", "vars"})
"""Built-in functions by which a program may use a name that it does not spell out."""

_ANYTHING = "*"
"""Stands among names for all of them."""

_RUNS_SCRIPTS = re.compile(r"\b(?:runpy|subprocess|importlib|getsource|__file__|exec|compile)\b")
_READS_INPUT = re.compile(r"\binput\s*\(|\bstdin\b|\bfileinput\b|\bopen\(0")
_WORD = re.compile(r"[^\W\d]\w*")


def names_asked_for(tests: Tests) -> frozenset[str] | None:
    """The names that `tests` ask a program for; None where they may ask for the whole of it."""
    if isinstance(tests, FunctionTests):
        return frozenset({tests.entry_point})
    if isinstance(tests, CodeTests):
        return _asked_by_a_file(tests.code)
    return None


def reachable_part(code: str, asked: frozenset[str] | None) -> str:
    """`code` without the lines of `unreachable_lines`; where there is none, `code` itself."""
    unreached = set(unreachable_lines(code, asked))
    if not unreached:
        return code
    lines = code.split("\n")
    return "\n".join(line for n, line in enumerate(lines) if n not in unreached).strip("\n")


def reachable_definitions(code: str) -> str:
    """`code` without what its own functions and classes do not depend on.

    A program that reads its input is whole: what it prints when it is run is what it is for.
    """
    if _READS_INPUT.search(code):
        return code
    tree = parse(code)
    defined = [node.name for node in tree.body if isinstance(node, _FUNCTIONS)] if tree else []
    return reachable_part(code, frozenset(defined))


def unreachable_lines(code: str, asked: frozenset[str] | None) -> list[int]:
    r"""The lines (from 0, "\n" ends one) that nothing reaches from the names in `asked`.

    Comments and blank lines above an unreached statement count with it, and so do those at the
    program's end behind one. Nothing is unreached where `asked` is None, where the program does not
    parse, nests too deep to be followed or is longer than MAX_CHARACTERS, or where it binds none of
    the names.
    """
    tree = parse(code) if asked and len(code) <= MAX_CHARACTERS else None
    if tree is None or not tree.body or has_lone_return(code):
        return []
    lines = code.split("\n")
    try:
        found = units(tree, lines)
        if not any(unit.binds & (asked or set()) for unit in found):
            return []
        reached = _reached(found, asked or frozenset())
    except (SyntaxError, RecursionError):
        return []
    return list(_lines(found, reached, len(lines)))


def _lines(found: list[Unit], reached: set[int], count: int) -> Iterator[int]:
    end = -1
    for number, unit in enumerate(found):
        if number not in reached:
            last = count - 1 if number == len(found) - 1 else unit.end
            yield from range(end + 1, last + 1)
        end = unit.end


def _reached(found: list[Unit], asked: frozenset[str]) -> set[int]:
    """The numbers of the units that are reached."""
    candidates = {n: unit for n, unit in enumerate(found) if not _is_main_block(unit)}
    names = set(asked)
    reached = {n for n, unit in candidates.items() if _always(n, unit)}
    effects = _Effects(found)
    changed = {n: effects.of(unit) for n, unit in candidates.items()}
    while True:
        names.update(*(candidates[n].uses | candidates[n].binds for n in reached))
        if names & _LOOKING_UP:
            names.update(*(unit.binds for unit in candidates.values()))
        more = {
            n
            for n, unit in candidates.items()
            if n not in reached
            and (unit.binds & names or _ANYTHING in changed[n] or changed[n] & names)
        }
        if not more:
            return reached
        reached |= more


def _always(number: int, unit: Unit) -> bool:
    if number == 0 and _is_constant(unit.nodes[0]):
        return True  # the module's docstring
    if any(name.startswith("__") for name in unit.binds):
        return True  # such as __all__
    return any(isinstance(each, _IMPORTS) for node in unit.nodes for each in _outer(node))


class _Effects:
    """What running a unit may change, worked out once for units that use the same names."""

    def __init__(self, found: list[Unit]) -> None:
        self._imported = imported_names(
            each for unit in found for node in unit.nodes for each in _outer(node)
        )
        self._definitions: defaultdict[str, list[int]] = defaultdict(list)
        for number, unit in enumerate(found):
            for name in unit.binds if _defines(unit) else ():
                self._definitions[name].append(number)
        self._found = found
        self._inside: dict[int, frozenset[str]] = {}
        self._by_use: dict[frozenset[str], frozenset[str]] = {}

    def of(self, unit: Unit) -> frozenset[str]:
        """The names that what is behind them may change; _ANYTHING where that cannot be told."""
        evaluated = [each for node in unit.nodes for each in _evaluated(node)]
        if not evaluated:
            return frozenset()
        walked = (each for node in evaluated for each in ast.walk(node))
        used = {each.id for each in walked if isinstance(each, ast.Name)}
        if all(isinstance(node, _FUNCTIONS) for node in unit.nodes):
            return self._of_calls(frozenset(used))
        if any(_acts(node, self._imported) for node in unit.nodes):
            return frozenset({_ANYTHING})
        changed = set(unit.changes)
        if all(self._shows(node) for node in unit.nodes):
            changed -= self._imported.keys()  # such as sys by sys.stdout.write
        return frozenset(changed) | self._of_calls(frozenset(used | unit.uses))

    def _shows(self, node: ast.stmt) -> bool:
        match node:
            case ast.Expr(value=ast.Call() as call):
                return shows(call, self._imported)
            case _:
                return False

    def _of_calls(self, used: frozenset[str]) -> frozenset[str]:
        """What the definitions that `used` names lead to may change."""
        if used not in self._by_use:
            inside = map(self._of_definition, self._called(used))
            self._by_use[used] = frozenset[str]().union(*inside)
        return self._by_use[used]

    def _of_definition(self, number: int) -> frozenset[str]:
        if number not in self._inside:
            unit = self._found[number]
            self._inside[number] = frozenset(unit.changes | _declared_global(unit))
        return self._inside[number]

    def _called(self, used: frozenset[str]) -> set[int]:
        seen: set[int] = set()
        named, waiting = set(used), list(used)
        while waiting:
            for number in self._definitions.get(waiting.pop(), ()):
                if number not in seen:
                    seen.add(number)
                    new = self._found[number].uses - named
                    named |= new
                    waiting += new
        return seen


def _evaluated(node: ast.stmt) -> list[ast.AST]:
    """What of a statement runs where it stands: of a definition its decorators and bases."""
    if isinstance(node, _FUNCTIONS):
        return [*node.decorator_list, *getattr(node, "bases", [])]
    return [node]


def _acts(statement: ast.stmt, imported: Mapping[str, str]) -> bool:
    for node in _outer(statement):
        match node:
            case ast.Import() | ast.ImportFrom():
                return True
            case ast.Raise() if not (exits(node) or (fails_a_test(node) and node is not statement)):
                return True
            case ast.Name(id=name) if name in _ACTING:
                return True
            case ast.Expr(value=ast.Call() as call) if outermost(call.func) in imported:
                if not shows(call, imported):
                    return True  # called for what it does, such as sys.setrecursionlimit
            case _:
                pass
    return False


def _defines(unit: Unit) -> bool:
    return any(isinstance(node, (*_FUNCTIONS, ast.Assign)) for node in unit.nodes)


def _declared_global(unit: Unit) -> set[str]:
    """The names that functions defined here may bind by declaring them global."""
    walked = (each for node in unit.nodes for each in ast.walk(node))
    return {name for each in walked if isinstance(each, ast.Global) for name in each.names}


def _outer(node: ast.AST) -> Iterator[ast.AST]:
    """`node` and what runs with it: all below but the bodies of functions."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (*_FUNCTIONS, ast.Lambda)):
            yield from _outer(child)


def _is_constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_main_block(unit: Unit) -> bool:
    match unit.nodes:
        case (ast.If(test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]), orelse=[]),):
            sides = (left, right)
        case _:
            return False
    return any(isinstance(each, ast.Name) and each.id == "__name__" for each in sides) and any(
        isinstance(each, ast.Constant) and each.value == "__main__" for each in sides
    )


def _asked_by_a_file(code: str) -> frozenset[str] | None:
    tree = parse(code)
    if tree is None or _RUNS_SCRIPTS.search(code):
        return None
    try:
        uses, binds = names_of(code)
    except (SyntaxError, RecursionError):
        return None
    asked = uses - binds
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(names=names):
                asked.update(each.name for each in names)
            case ast.Attribute(attr=name):
                asked.add(name)
            case ast.Constant(value=str(text)):
                asked.update(_WORD.findall(text))
            case _:
                pass
    return frozenset(asked)
