"""What of a program its entry point needs: imports, and definitions that names lead to.

evalplus and BigCodeBench cut programs so. The order of the definitions stays; all else goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

_IMPORTS = ("import_statement", "import_from_statement")
_CLASS, _FUNCTION = "class_definition", "function_definition"
_STATEMENT, _ASSIGNMENT = "expression_statement", "assignment"


def needed_code(
    code: str, entry_point: str, is_kept: Callable[[Node], bool] = lambda _function: True
) -> str:
    """The imports of `code`, then the definitions that `entry_point` leads to, one behind another.

    Of several definitions of a name the first counts.

    Args:
        code: the program, or a text that is none.
        entry_point: the name that must stay.
        is_kept: whether a function at the margin counts as a definition.

    Raises:
        RecursionError: where it nests too deep.
        UnicodeEncodeError: where it holds half of a surrogate pair.
    """
    import tree_sitter_python
    from evalplus.sanitize import get_deps
    from tree_sitter import Language, Parser

    source = code.encode()
    tree = Parser(Language(tree_sitter_python.language())).parse(source)
    imports = [node for node in tree.root_node.children if node.type in _IMPORTS]
    definitions = _definitions(tree.root_node, is_kept)
    needed = _reached(entry_point, get_deps(list(definitions.items())))
    kept = [*imports, *(node for name, node in definitions.items() if name in needed)]
    return b"\n".join(source[node.start_byte : node.end_byte] for node in kept).decode()


def _definitions(root: Node, is_kept: Callable[[Node], bool]) -> dict[str, Node]:
    """The classes, functions and assignments at the margin by name; the first of each name."""
    from evalplus.sanitize import get_definition_name

    found: dict[str, Node] = {}
    for child in root.children:
        if child.type == _CLASS or (child.type == _FUNCTION and is_kept(child)):
            found.setdefault(get_definition_name(child), child)
        elif child.type == _STATEMENT and child.children[0].type == _ASSIGNMENT:
            found.setdefault(get_definition_name(child.children[0]), child.children[0])
    return found


def _reached(name: str, uses: Mapping[str, AbstractSet[str]]) -> AbstractSet[str]:
    """`name`, and all that it leads to by what each name's definition uses."""
    found, left = {name}, [name]
    while left:
        new = uses.get(left.pop(), frozenset[str]()) - found
        found |= new
        left += new
    return found
