"""The program in a model's answer, taken out the same way for every caller.

Reasoning (`<think>`) is no answer. Of several fenced blocks the last one counts that defines what
was asked for: earlier ones quote the task, the old program or a draft, later ones show its use.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from iterpref_assets.core.reasoning import without_reasoning
from iterpref_assets.core.syntax import error_line, parse

_END_OF_TEXT = re.compile(
    r"(?:<\|[A-Za-z_]+\|>|<\uff5c[^\uff5c<>]+\uff5c>|</s>|<eos>|<end_of_turn>)[ \t]*$", re.MULTILINE
)
"""A token that ends a text, where a decoder left it in: at the end of a line."""
_TOKENS_BEFORE = re.compile(r"\A\s*(?:<\|[A-Za-z_]+\|>(?:assistant)?\s*)+")
"""What a template puts before an answer, where a decoder left it in."""
_FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<marks>`{3,}|~{3,})[ \t]*(?P<info>[^\s`]*)[^`]*")
_FENCE_AFTER_PROSE = re.compile(r"(?:(?!```).)+(?P<marks>`{3,})(?P<info>\w*)\s*")
_PYTHON = re.compile(r"(?:py(?:thon)?[\d.]*)?", re.IGNORECASE)
"""What a fence says of its block's language where that is Python: `python`, or often nothing."""
_PROSE = re.compile(r"(?:markdown|md|text|txt|plaintext)", re.IGNORECASE)
_INNER_FENCES = 20
"""A block with more lines within that could close it ends at the first: models repeat themselves,
and each further line would mean to read the whole block once more."""
_CODE_STARTS = re.compile(r"^(?:def |class |async def |import |from \w+ import |@\w)", re.MULTILINE)
_REFUSAL = re.compile(
    r"\b(?:sorry|apologi[sz]e|unable to|"
    r"(?:can ?not|can't|won't|will not) (?:help|assist|do|provide|fulfil|comply|solve|write))\b",
    re.IGNORECASE,
)


class NoProgram(StrEnum):
    """Why an answer holds no program.

    EMPTY: nothing was said. CUT_OFF: it ended at its token limit within its program, or before it.
    REFUSAL: prose that declines. PROSE: other text without a program.
    """

    EMPTY = "empty"
    CUT_OFF = "cut_off"
    REFUSAL = "refusal"
    PROSE = "prose"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer holds: a program, or the reason why there is none."""

    program: str | None
    lack: NoProgram | None = None


@dataclass(frozen=True, slots=True)
class _Block:
    """A fenced block; `closed` is false where the text ended within it."""

    language: str
    code: str
    closed: bool

    @property
    def is_python(self) -> bool:
        return _PYTHON.fullmatch(self.language) is not None


def read_answer(text: str, entry_point: str = "", *, cut_off: bool = False) -> Answer:
    """The program that `text` answers with.

    Args:
        text: what the model wrote.
        entry_point: the function or class that was asked for; empty where a whole script was.
        cut_off: whether generation ended at a token limit.

    Returns:
        The program as the model wrote it, without its fence, or why there is none.
    """
    said = without_reasoning(_before_end_of_text(text))
    if said is None:
        return Answer(None, NoProgram.CUT_OFF)
    if not said.strip():
        return Answer(None, NoProgram.CUT_OFF if cut_off else NoProgram.EMPTY)
    blocks = list(_blocks(said.split("\n")))
    chosen = _chosen(blocks, entry_point)
    if chosen is not None:
        return _unless_cut(chosen, cut_off=cut_off)
    bare = None if blocks else _bare_program(said, entry_point)
    if bare is not None:
        return Answer(None, NoProgram.CUT_OFF) if cut_off else Answer(bare)
    if cut_off:
        return Answer(None, NoProgram.CUT_OFF)
    return Answer(None, NoProgram.REFUSAL if _REFUSAL.search(said) else NoProgram.PROSE)


def defines(code: str, name: str) -> bool:
    """Whether a module binds `name` at its top level; told by its look where it does not parse."""
    tree = parse(code)
    if tree is None:
        return _seems_to_define(code, name)
    return name in _names_bound(tree.body)


def _seems_to_define(code: str, name: str) -> bool:
    definition = rf"^(?:async +def|def|class) +{re.escape(name)}\b"
    return re.search(definition, code, re.MULTILINE) is not None


def _names_bound(body: Sequence[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from (alias.asname or alias.name for alias in names)
            case ast.Assign(targets=targets):
                yield from (each.id for each in targets if isinstance(each, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                yield name
            case ast.If(body=inner, orelse=other):
                yield from _names_bound([*inner, *other])
            case ast.Try(body=inner, handlers=handlers):
                yield from _names_bound(inner)
                for handler in handlers:
                    yield from _names_bound(handler.body)
            case _:
                pass


def _before_end_of_text(text: str) -> str:
    text = _TOKENS_BEFORE.sub("", text.replace("\r\n", "\n"))
    found = _END_OF_TEXT.search(text)
    return text[: found.start()] if found else text


def _blocks(lines: list[str]) -> Iterator[_Block]:
    """Each fenced block; a block of prose (markdown) is read for the blocks within it."""
    at = 0
    while at < len(lines):
        opener = _FENCE.fullmatch(lines[at]) or _FENCE_AFTER_PROSE.fullmatch(lines[at])
        at += 1
        if opener is None or _PROSE.fullmatch(opener["info"]):
            continue
        indent = opener.groupdict().get("indent") or ""
        end = _end_of_block(lines, at, opener["marks"], indent)
        closed = end < len(lines)
        code = "\n".join(_outdented(lines[at:end], indent)).strip("\n")
        if code.strip():
            yield _Block(opener["info"], code, closed)
        # A fence that names a language begins the next block as well as ending this one.
        names_next = closed and (following := _FENCE.fullmatch(lines[end])) and following["info"]
        at = end if names_next else end + 1


def _end_of_block(lines: list[str], start: int, marks: str, indent: str) -> int:
    """The line that closes a block begun before `start`, or the number of lines if none does.

    Of several that could, it is the first at which the block is Python: programs hold fences too.
    """
    first: int | None = None
    closing = (n for n in range(start, len(lines)) if _closes(lines[n], marks, indent))
    for at in islice(closing, _INNER_FENCES):
        if first is None:
            first = at
        if parse("\n".join(_outdented(lines[start:at], indent))) is not None:
            return at
        if _FENCE.fullmatch(lines[at]) is None or _info(lines[at]):
            break
    return len(lines) if first is None else first


def _closes(line: str, marks: str, indent: str) -> bool:
    own = len(line) - len(line.lstrip(" \t"))
    return own <= len(indent) and line.lstrip(" \t").startswith(marks)


def _info(line: str) -> str:
    fence = _FENCE.fullmatch(line)
    return fence["info"] if fence else ""


def _outdented(lines: list[str], indent: str) -> list[str]:
    """The lines without the indentation of their block's fence."""
    return [
        line[len(indent) :] if line.startswith(indent) else line.lstrip(" \t") for line in lines
    ]


def _chosen(blocks: Sequence[_Block], entry_point: str) -> _Block | None:
    """The last block that defines `entry_point`; else the last of Python that can be a program."""
    if entry_point:
        defining = [each for each in blocks if defines(each.code, entry_point)]
        if defining:
            return defining[-1]
    python = [each for each in blocks if each.is_python]
    named = [each for each in python if each.language]
    parsing = [each for each in named or python if parse(each.code) is not None]
    return next(iter(reversed(parsing or named or python)), None)


def _unless_cut(block: _Block, *, cut_off: bool) -> Answer:
    if cut_off and not block.closed:
        return Answer(None, NoProgram.CUT_OFF)
    return Answer(block.code)


def _bare_program(text: str, entry_point: str) -> str | None:
    """A program without fences: all of `text`, or what stands between prose before and behind it.

    Code that asks for nothing but a syntax error is a program as well: the feedback says so.
    """
    begun = _CODE_STARTS.search(text)
    candidates = [text, _before_prose(text[begun.start() :])] if begun else [text]
    for code in candidates:
        tree = parse(code)
        if tree is None:
            continue
        if entry_point in _names_bound(tree.body) if entry_point else _does_something(tree):
            return code.strip("\n")
    if begun and entry_point and _seems_to_define(text, entry_point):
        return text[begun.start() :].strip("\n")
    return None


def _before_prose(text: str) -> str:
    """`text` without its last paragraphs, from the one that is no Python on."""
    while (line := error_line(text)) is not None:
        begins = sum(len(each) + 1 for each in text.split("\n")[: line - 1])
        text = text[: max(text.rfind("\n\n", 0, begins), 0)]
    return text


def _does_something(tree: ast.Module) -> bool:
    """Whether a script does something, as a lone word or value that parses does not."""
    return any(
        not isinstance(node, ast.Expr) or isinstance(node.value, ast.Call) for node in tree.body
    )
