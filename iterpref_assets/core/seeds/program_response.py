"""Reading a task, or a program with its tests, that a generator wrote (METHOD.md, 1.1).

A task has its statement, signature, examples and tags in sections. A program is one response:
`<file>name.py</file>` and a ```python block for each file. A trailer `<json>{"file_names": [...],
"packages": [...]}</json>`, which the paper's answers have, is checked where there is one. Blocks
without names are told apart by `core/seeds/nameless.py`. Prose is passed over.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.json_lines import parse_json
from iterpref_assets.core.reasoning import without_reasoning
from iterpref_assets.core.records import CodeTests
from iterpref_assets.core.sandbox.code_tests import usable_tests
from iterpref_assets.core.sandbox.solution_use import uses_solution
from iterpref_assets.core.seeds.nameless import files_of, imported_packages
from iterpref_assets.core.syntax import parse

_FILE = re.compile(r"<file>\s*(.*?)\s*</file>")
_FILES = 2
"""A solution and its tests."""
_PATH = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_-]*/)*[A-Za-z_][A-Za-z0-9_]*\.py")
_TRAILER = re.compile(r"<json>(.*?)</json>", re.DOTALL)
_FENCED_JSON = re.compile(r"^```json[ \t]*\n(.*?)\n```[ \t]*$", re.DOTALL | re.MULTILINE)
_FENCED = re.compile(r"```\w*[ \t]*\n(.*?)\n?```", re.DOTALL)
_TEST_NAME = re.compile(r"tests?|test_.*|.*_tests?")
_FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<marks>`{3,})[ \t]*(?P<language>[\w+#.-]*)[ \t]*")
_PYTHON = re.compile(r"py(?:thon)?[\d.]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WrittenProgram:
    """A solution and its test file, and the packages that they are said to need."""

    module: str
    code: str
    tests: str
    packages: tuple[str, ...]


def read_program(response: str, entry_point: str) -> WrittenProgram:
    """The solution and the tests in a response.

    Raises:
        MalformedError: naming the first fault.
    """
    response = without_reasoning(response) or ""
    if not response.strip():
        raise MalformedError(Fault.EMPTY)
    blocks = list(_files(_TRAILER.sub("", response)))
    files = _named(blocks, entry_point)
    if not files:
        raise MalformedError(Fault.NO_FILES)
    packages = _packages(response, [name for name, _ in blocks if name is not None])
    solution, test_file = _roles(files)
    program = WrittenProgram(_module(solution), files[solution], files[test_file], packages)
    _check(program, entry_point)
    return program


def _named(blocks: Sequence[tuple[str | None, str]], entry_point: str) -> dict[str, str]:
    """The content of each file by its name; what follows them shows their use."""
    while len(blocks) > _FILES and blocks[-1][0] is None:
        blocks = blocks[:-1]
    named = {name: content for name, content in blocks if name is not None}
    nameless = [content for name, content in blocks if name is None]
    if not nameless:
        return named
    files = {} if named else files_of(nameless, entry_point)
    if not files:
        raise MalformedError(Fault.CODE_WITHOUT_FILE)
    return files


def _files(response: str) -> Iterator[tuple[str | None, str]]:
    """Name and content of each file, in order; no name for a Python block that has none."""
    name: str | None = None
    seen: set[str] = set()
    # Not `splitlines`, which also splits at characters that are part of a string or comment.
    lines = iter(response.replace("\r\n", "\n").split("\n"))
    for line in lines:
        if fence := _FENCE.fullmatch(line):
            if _PYTHON.fullmatch(fence["language"]):
                yield name, _block(lines, fence, name or "")
                name = None
            elif name is not None:
                content = _block(lines, fence, name)
                if not fence["language"]:
                    yield name, content
                    name = None
        for found in _FILE.findall(line):
            if name is not None:
                raise MalformedError(Fault.FILE_WITHOUT_CODE, name)
            name = _file_name(found, seen)
    if name is not None:
        raise MalformedError(Fault.FILE_WITHOUT_CODE, name)


def _file_name(name: str, seen: set[str]) -> str:
    """The path of a file, which stays inside the folder."""
    name = _plain(name)
    if not _PATH.fullmatch(name):
        raise MalformedError(Fault.BAD_FILE_NAME, name)
    if name in seen:
        raise MalformedError(Fault.REPEATED_FILE, name)
    seen.add(name)
    return name


def _plain(name: str) -> str:
    return name.strip("`").removeprefix("./")


def _block(lines: Iterator[str], fence: re.Match[str], name: str) -> str:
    """The lines up to the end of a block, without the indentation of its fence."""
    indent, marks = fence["indent"], fence["marks"]
    block: list[str] = []
    for line in lines:
        outdented = line.removeprefix(indent)
        if outdented.rstrip() == marks:
            return "\n".join(block)
        block.append(outdented)
    raise MalformedError(Fault.UNCLOSED_CODE, name)


def _roles(files: Mapping[str, str]) -> tuple[str, str]:
    """The names of the solution and the tests: what imports the other is the test.

    Where neither does, or both, or there are not two, their names tell.
    """
    if len(files) == _FILES:
        first, second = files
        importing = [
            (other, name)
            for name, other in ((first, second), (second, first))
            if _module(other) in imported_packages(files[name])
        ]
        if len(importing) == 1:
            return importing[0]
    tests = [name for name in files if _TEST_NAME.fullmatch(_module(name))]
    solutions = [name for name in files if name not in tests]
    test_file = _only(tests, Fault.NO_TEST_FILE, Fault.SEVERAL_TEST_FILES)
    return _only(solutions, Fault.NO_SOLUTION_FILE, Fault.SEVERAL_SOLUTION_FILES), test_file


def _module(name: str) -> str:
    return PurePosixPath(name).stem


def _packages(response: str, files: list[str]) -> tuple[str, ...]:
    """What the trailer says is needed, once it has been found to fit the names that files have."""
    fenced = [text for text in _FENCED_JSON.findall(response) if '"file_names"' in text]
    trailers = _TRAILER.findall(response) or fenced
    if not trailers:
        return ()
    if len(trailers) > 1:
        raise MalformedError(Fault.REPEATED_TRAILER, ", ".join(trailers)[:80])
    (text,) = trailers
    try:
        trailer: Any = parse_json(_unfenced(text))
    except ValueError:
        raise MalformedError(Fault.TRAILER_NOT_JSON, text[:80]) from None
    match trailer:
        case {"file_names": [*names], "packages": [*packages], **rest} if not rest:
            pass
        case _:
            raise MalformedError(Fault.TRAILER_FIELDS, text[:80])
    if not all(isinstance(each, str) for each in (*names, *packages)):
        raise MalformedError(Fault.TRAILER_FIELDS, text[:80])
    if files and sorted(map(_plain, names)) != sorted(files):
        raise MalformedError(Fault.OTHER_FILE_NAMES, f"{names} for {files}")
    return tuple(packages)


def _unfenced(text: str) -> str:
    """What a fenced block holds, or `text` itself."""
    fenced = _FENCED.fullmatch(text.strip())
    return fenced[1] if fenced else text


def _only(found: list[str], none: Fault, several: Fault) -> str:
    if len(found) != 1:
        raise MalformedError(several if found else none, ", ".join(found)[:80])
    return found[0]


def _check(program: WrittenProgram, entry_point: str) -> None:
    tree = parse(program.code)
    for code, parsed in ((program.code, tree), (program.tests, parse(program.tests))):
        if parsed is None:
            raise MalformedError(Fault.NO_PYTHON, code[:80])
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)} if tree else ()
    if entry_point not in names:
        raise MalformedError(Fault.NO_FUNCTION, entry_point)
    try:
        usable_tests(program.tests)
    except InputError as error:
        raise MalformedError(Fault.NO_ASSERTIONS, error.problem) from None
    if not uses_solution(CodeTests(module=program.module, code=program.tests)):
        raise MalformedError(Fault.NOT_IMPORTED, program.module)


_SECTIONS = ("task", "signature", "examples", "tags")


@dataclass(frozen=True, slots=True)
class WrittenTask:
    """One task; `entry_point` is the name of the function in `signature`."""

    statement: str
    signature: str
    entry_point: str
    examples: str
    tags: tuple[str, ...]


def read_task(response: str) -> WrittenTask:
    """The task in a response of the form that templates/feature_task.md asks for.

    Raises:
        MalformedError: naming the first fault.
    """
    response = without_reasoning(response) or ""
    if not response.strip():
        raise MalformedError(Fault.EMPTY)
    statement, signature, examples, tags = (_section(response, name) for name in _SECTIONS)
    signature, entry_point = _read_signature(_unfenced(signature).strip("`"))
    return WrittenTask(
        statement=statement,
        signature=signature,
        entry_point=entry_point,
        examples=_unfenced(examples),
        tags=tuple(tag.strip() for tag in tags.split(",") if tag.strip()),
    )


def _section(response: str, name: str) -> str:
    found = re.findall(rf"<{name}>(.*?)</{name}>", response, re.DOTALL | re.IGNORECASE)
    if not found or not found[0].strip():
        raise MalformedError(Fault.MISSING_SECTION, name)
    if len(found) > 1:
        raise MalformedError(Fault.REPEATED_SECTION, name)
    return found[0].strip()


def _read_signature(signature: str) -> tuple[str, str]:
    """The first line of a function, after imports that it needs, and the function's name.

    The colon may be missing, and an empty body may follow.
    """
    for text in (signature, f"{signature} pass", f"{signature}: pass"):
        tree = parse(text)
        match tree.body if tree else []:
            case [*imports, ast.FunctionDef(name=name, body=[body]) as function] if (
                all(isinstance(each, ast.Import | ast.ImportFrom) for each in imports)
                and not function.decorator_list
                and _is_empty(body)
            ):
                lines = text.encode().split(b"\n")[: body.lineno]
                lines[-1] = lines[-1][: body.col_offset]
                return b"\n".join(lines).decode().strip(), name
            case _:
                pass
    raise MalformedError(Fault.BAD_SIGNATURE, signature)


def _is_empty(statement: ast.stmt) -> bool:
    """Whether it is `pass`, `...` or a docstring."""
    match statement:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case _:
            return False


class Fault(StrEnum):
    """What is wrong with a response; the first that is found is the one that counts.

    Of any response: UNANSWERED (no answer came), TRUNCATED (it ended at its token limit), EMPTY.
    Of a task: MISSING_SECTION, REPEATED_SECTION, BAD_SIGNATURE (not the first line of a function).
    Of a program with tests: NO_FILES; FILE_WITHOUT_CODE, CODE_WITHOUT_FILE, UNCLOSED_CODE;
    BAD_FILE_NAME (not a module's), REPEATED_FILE; REPEATED_TRAILER, TRAILER_NOT_JSON,
    TRAILER_FIELDS, OTHER_FILE_NAMES (than the files above it); NO_TEST_FILE, SEVERAL_TEST_FILES,
    NO_SOLUTION_FILE, SEVERAL_SOLUTION_FILES; NO_PYTHON (a file does not parse); NO_FUNCTION (the
    solution lacks the one that is asked for); NO_ASSERTIONS (no test, or one that is not run or
    cannot fail); NOT_IMPORTED (the tests use nothing of the solution).
    """

    UNANSWERED = "unanswered"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    MISSING_SECTION = "missing_section"
    REPEATED_SECTION = "repeated_section"
    BAD_SIGNATURE = "bad_signature"
    NO_FILES = "no_files"
    FILE_WITHOUT_CODE = "file_without_code"
    CODE_WITHOUT_FILE = "code_without_file"
    UNCLOSED_CODE = "unclosed_code"
    BAD_FILE_NAME = "bad_file_name"
    REPEATED_FILE = "repeated_file"
    REPEATED_TRAILER = "repeated_trailer"
    TRAILER_NOT_JSON = "trailer_not_json"
    TRAILER_FIELDS = "trailer_fields"
    OTHER_FILE_NAMES = "other_file_names"
    NO_TEST_FILE = "no_test_file"
    SEVERAL_TEST_FILES = "several_test_files"
    NO_SOLUTION_FILE = "no_solution_file"
    SEVERAL_SOLUTION_FILES = "several_solution_files"
    NO_PYTHON = "no_python"
    NO_FUNCTION = "no_function"
    NO_ASSERTIONS = "no_assertions"
    NOT_IMPORTED = "not_imported"


class MalformedError(ValueError):
    """A response that cannot be read; `fault` says why, the message what exactly."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(detail)
        self.fault = fault
