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

    Told alike: `5 < 6 < 2`, `not 5`, `isinstance(5, str)`; of an `and` the part that does not hold.

    Args:
        trace: of the AssertionError.
        code: the test file's text.
        file: the name that it was compiled under.
    """
    frame, line = _innermost(trace, file)
    if frame is None:
        return ""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Assert) and node.lineno <= line <= (node.end_lineno or node.lineno):
            try:
                return _told(node.test, frame)
            except BaseException:  # noqa: BLE001 - the candidate's code runs again
                return ""
    return ""


def _innermost(trace: TracebackType | None, file: str) -> tuple[FrameType | None, int]:
    frame, line = None, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            frame, line = trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next
    return frame, line


def _told(test: ast.expr, frame: FrameType) -> str:
    """What a condition that does not hold came to; of several joined by `and`, the first."""
    match test:
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            others: list[ast.expr] = [_shown(side, frame) for side in comparators]
            return ast.unparse(ast.Compare(_shown(left, frame), ops, others))
        case ast.BoolOp(op=ast.And(), values=values):
            return next(_told(each, frame) for each in values if not _value(each, frame))
        case ast.BoolOp(op=ast.Or(), values=values):
            return " or ".join(_told(each, frame) for each in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return f"not {_shown(operand, frame).id}"
        case ast.Call(func=func, args=args, keywords=[]) if _value(test, frame) is False:
            return ast.unparse(ast.Call(func, [_shown(each, frame) for each in args], []))
        case _:
            return _shown(test, frame).id


def _shown(side: ast.expr, frame: FrameType) -> ast.Name:
    """A value as source that unparses to its text."""
    return ast.Name(str.__str__(repr(_value(side, frame)))[:_MAX_REPR], ast.Load())


def _value(side: ast.expr, frame: FrameType) -> object:
    expression = ast.fix_missing_locations(ast.Expression(side))
    return eval(compile(expression, "<side>", "eval"), frame.f_globals, frame.f_locals)  # noqa: S307
