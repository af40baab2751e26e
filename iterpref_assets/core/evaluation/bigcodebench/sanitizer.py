"""Cutting an answer to its program as BigCodeBench's sanitizer does.

It follows `bigcodebench/sanitize.py` of 2024-12-07, which commit 47eff25 holds unchanged.
"""

from __future__ import annotations

from iterpref_assets.core.evaluation.longest_code import longest_code
from iterpref_assets.core.evaluation.needed_code import needed_code


def sanitize(text: str, entry_point: str) -> str:
    """The longest part of `text` that is Python, cut to what its entry point needs.

    Where nothing of that part is needed, it stays whole.

    Args:
        text: a program, or an answer that holds one.
        entry_point: the function that is asked for.

    Raises:
        RecursionError: where the text nests too deep.
        UnicodeEncodeError: where it holds half of a surrogate pair.
    """
    needed = needed_code(longest_code(text.strip()), entry_point)
    return _without_uses(needed, entry_point).strip() or longest_code(text)


def _without_uses(code: str, entry_point: str) -> str:
    """`code` up to the first line that names the entry point, of those behind the last indent.

    A function of one line is such a line too.
    """
    lines = code.splitlines()
    indented = [number for number, line in enumerate(lines) if line.startswith(" ")]
    behind = indented[-1] + 1 if indented else 0
    uses = [number for number in range(behind, len(lines)) if entry_point in lines[number]]
    return "\n".join(lines[: uses[0]]) if uses else code
