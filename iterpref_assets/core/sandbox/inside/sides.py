"""The values that a failed assertion of a test file compared.

They are worked out again in the frame that the assertion left behind, once a test has failed and no
other follows. What cannot be worked out a second time is not told.
"""

from __future__ import annotations

import ast
from types import FrameType, TracebackType

_MAX_REPR = 500


def compared(trace: TracebackType | None, code: str, file: str) -> str:
    """`5 == 6` for a failed `assert area(2, 3) == 6` of the test file, or "".

    Args:
        trace: of the AssertionError.
        code: the test file's text.
        file: the name that it was compiled under.
    """
    frame, line = _innermost(trace, file)
    if frame is None:
        return ""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Assert(test=ast.Compare(left=left, ops=[op], comparators=[right])) if (
                node.lineno <= line <= (node.end_lineno or node.lineno)
            ):
                return _told(left, op, right, frame)
            case _:
                pass
    return ""


def _innermost(trace: TracebackType | None, file: str) -> tuple[FrameType | None, int]:
    frame, line = None, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            frame, line = trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next
    return frame, line


def _told(left: ast.expr, op: ast.cmpop, right: ast.expr, frame: FrameType) -> str:
    try:
        sides = [_value(side, frame) for side in (left, right)]
    except BaseException:  # noqa: BLE001 - the candidate's code runs again
        return ""
    names = [ast.Name(side, ast.Load()) for side in sides]
    return ast.unparse(ast.Compare(names[0], [op], [names[1]]))


def _value(side: ast.expr, frame: FrameType) -> str:
    expression = ast.fix_missing_locations(ast.Expression(side))
    value = eval(compile(expression, "<side>", "eval"), frame.f_globals, frame.f_locals)  # noqa: S307
    return str.__str__(repr(value))[:_MAX_REPR]
