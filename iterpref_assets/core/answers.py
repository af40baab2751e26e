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

from iterpref_assets.core.answer_blocks import (
    CODE_STARTS,
    FencedBlock,
    ends_within_block,
    fenced_blocks,
)
from iterpref_assets.core.reasoning import without_reasoning
from iterpref_assets.core.syntax import error_line, parse

_END_OF_TEXT = re.compile(
    r"(?:<\|[A-Za-z_]+\|>|<\uff5c[^\uff5c<>]+\uff5c>|</s>|<eos>|<end_of_turn>)[ \t]*$", re.MULTILINE
)
"""A token that ends a text, where a decoder left it in: at the end of a line."""
_TOKENS_BEFORE = re.compile(r"\A\s*(?:<\|[A-Za-z_]+\|>(?:assistant)?\s*)+")
"""What a template puts before an answer, where a decoder left it in."""
_LOOKS_LIKE_CODE = re.compile(
    r"^\s*[\w.\[\]]+\s*[-+*/]?=[^=]|\w\(|^\s*(?:for|while|if) .*:$", re.MULTILINE
)
_PROSE_LINE = re.compile(
    r"(?:[-*>] |\d+[.)] |\*\*|[A-Z][\w'\u2019]*(?:[ ,:]|$))[^=(]*"
    r"|[A-Z][\w'\u2019]*,? [a-z'\u2019]+ [a-z'\u2019]+\b.*"
    r"|(?:</?\w+>|\[/?[A-Z]+\])\s*"
)
"""A line at the margin that no statement begins like: a sentence, or a tag around the answer."""
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
    blocks = list(fenced_blocks(said))
    chosen = _chosen(blocks, entry_point)
    if cut_off and (chosen is None or _is_cut(blocks, chosen, entry_point)):
        return Answer(None, NoProgram.CUT_OFF)
    program = _without_prose(chosen) if chosen else None
    if not blocks:
        program = _bare_program(said, entry_point)
    if program is not None:
        return Answer(program)
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


def _names_bound(body: Sequence[ast.stmt], *, imported: bool = True) -> Iterator[str]:
    for node in body:
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names) if imported:
                yield from (alias.asname or alias.name for alias in names)
            case ast.Assign(targets=targets, value=value):
                used = {each.id for each in ast.walk(value) if isinstance(each, ast.Name)}
                yield from ({each.id for each in targets if isinstance(each, ast.Name)} - used)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                yield name
            case ast.If(body=inner, orelse=other):
                yield from _names_bound([*inner, *other], imported=imported)
            case ast.Try(body=inner, handlers=handlers):
                yield from _names_bound(inner, imported=imported)
                for handler in handlers:
                    yield from _names_bound(handler.body, imported=imported)
            case _:
                pass


def _before_end_of_text(text: str) -> str:
    """`text` up to a token that ends it; one within a program is a part of that."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _TOKENS_BEFORE.sub("", text)
    if not _END_OF_TEXT.search(text) or parse(text) is not None:
        return text
    for found in _END_OF_TEXT.finditer(text):
        before, behind = text[: found.start()], text[found.end() :].lstrip()
        if not behind or behind.startswith("<|") or not ends_within_block(before):
            return before
    return text


def _chosen(blocks: Sequence[FencedBlock], entry_point: str) -> FencedBlock | None:
    """The last block that defines `entry_point`; else the last of Python that can be a program."""
    python = [each for each in blocks if each.is_python]
    if entry_point:
        others = [each for each in blocks if not each.is_python and parse(each.code) is not None]
        for among in (python, others):
            defining = [each for each in among if defines(each.code, entry_point)]
            whole = [each for each in defining if _is_own(each.code, entry_point)]
            if defining:
                return (whole or defining)[-1]
    named = [each for each in python if each.language]
    likely = named or [each for each in python if _is_likely(each.code)]
    parsing = [each for each in likely if parse(each.code) is not None]
    return next(iter(reversed(parsing or likely)), None)


def _is_own(code: str, entry_point: str) -> bool:
    """Whether a block that defines it may be all of a program: no import of it, no header alone."""
    tree = parse(code)
    if tree is None:
        return parse(f"{code.rstrip()}\n{' ' * 80}pass") is None
    return entry_point in _names_bound(tree.body, imported=False)


def _is_likely(code: str) -> bool:
    """Whether a block whose fence names no language is code, and not what some code prints."""
    tree = parse(code)
    if tree is not None:
        return _does_something(tree)
    return bool(CODE_STARTS.search(code) or _LOOKS_LIKE_CODE.search(code))


def _is_cut(blocks: Sequence[FencedBlock], chosen: FencedBlock, entry_point: str) -> bool:
    """Whether the end of a text that was cut off lies within its program.

    A last block without an end is its program, or one that was to replace it, unless it shows the
    use of what is chosen already.
    """
    last = blocks[-1]
    if last.closed:
        return False
    shows_use = entry_point and re.search(rf"\b{re.escape(entry_point)}\b", last.code)
    return last is chosen or (bool(last.language) and last.is_python and not shows_use)


def _without_prose(block: FencedBlock) -> str:
    """A block's program; of one without an end what stands before a line of prose behind it."""
    line = None if block.closed else error_line(block.code)
    if line is None:
        return block.code
    lines = block.code.split("\n")
    before = "\n".join(lines[: line - 1]).strip("\n")
    is_prose = _PROSE_LINE.fullmatch(lines[line - 1]) is not None
    return before if is_prose and before and parse(before) is not None else block.code


def _bare_program(text: str, entry_point: str) -> str | None:
    """A program without fences: all of `text`, or what stands between prose before and behind it.

    Code that asks for nothing but a syntax error is a program as well: the feedback says so.
    """
    begun = CODE_STARTS.search(text)
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
    """`text` up to the line of prose, or else the paragraph, that is no Python."""
    while (line := error_line(text)) is not None:
        lines = text.split("\n")
        begins = sum(len(each) + 1 for each in lines[: line - 1])
        is_prose = _PROSE_LINE.fullmatch(lines[line - 1])
        text = text[: begins if is_prose else max(text.rfind("\n\n", 0, begins), 0)]
    return text


def _does_something(tree: ast.Module) -> bool:
    """Whether a script does something, as a lone word or value that parses does not."""
    return any(
        not isinstance(node, ast.Expr) or isinstance(node.value, ast.Call) for node in tree.body
    )
