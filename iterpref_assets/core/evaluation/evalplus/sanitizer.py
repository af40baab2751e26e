"""Cutting an answer to its program as evalplus 0.3.1's sanitizer does."""

from __future__ import annotations

from iterpref_assets.core.evaluation.longest_code import longest_code
from iterpref_assets.core.evaluation.needed_code import needed_code


def sanitize(text: str, entry_point: str) -> str:
    """The longest part of `text` that is Python, cut to what its entry point needs.

    A function without a `return` is dropped. Where nothing is needed, the part stays whole.

    Args:
        text: a program, or an answer that holds one.
        entry_point: the function that is asked for.

    Raises:
        RecursionError: where the text nests too deep.
        UnicodeEncodeError: where it holds half of a surrogate pair.
    """
    from evalplus.sanitize import has_return_statement

    code = longest_code(text)
    return needed_code(code, entry_point, has_return_statement).strip() or code
