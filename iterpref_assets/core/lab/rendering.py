"""A program's two faces: its Python source and its statement in words."""

from __future__ import annotations

import random
from dataclasses import dataclass

from iterpref_assets.core.lab.programs import Program

_INDENT = "    "

_GUARD_VALUES = {
    "int": "-1",
    "int | None": "-1",
    "str": '"none"',
    "str | None": '"none"',
    "list[int]": "[-1]",
    "list[str]": '["none"]',
    "dict[str, int]": '{"none": -1}',
    "tuple[int, int]": "(-1, -1)",
}
"""What a guard answers, by return type: never what the loop would give on an empty input."""

_VERBS = {
    "int": ("compute", "measure", "score", "evaluate", "rate", "figure"),
    "list": ("collect", "gather", "select", "pick", "extract", "filter"),
    "str": ("format", "render", "build", "write", "compose", "spell"),
    "dict": ("group", "index", "map", "arrange", "table", "sort_out"),
    "tuple": ("summarize", "describe", "survey", "review", "weigh", "report"),
}
_PLAIN_VERBS = ("process", "handle", "solve", "scan", "reduce", "digest", "convert", "examine")


@dataclass(frozen=True, slots=True)
class Wording:
    """The names one rendering uses, shared by a problem's statement, reference and siblings."""

    entry_point: str
    parameters: tuple[str, ...]


def draw_wording(program: Program, rng: random.Random) -> Wording:
    """Names for `program`; they tell of its input and result, not of its features."""
    base = program.reduction.returns.split("[")[0].split(" ")[0]
    verb = rng.choice((*_VERBS[base], *_PLAIN_VERBS))
    noun = rng.choice(program.walk.nouns)
    name = rng.choice((f"{verb}_{noun}", f"{verb}_{noun}", f"{noun}_{verb}", f"{verb}_the_{noun}"))
    return Wording(name, rng.choice(program.walk.parameters))


def render_signature(program: Program, wording: Wording) -> str:
    """The first line of the source."""
    parameters = ", ".join(f"{name}: {program.walk.type}" for name in wording.parameters)
    return f"def {wording.entry_point}({parameters}) -> {program.reduction.returns}:"


def render_code(program: Program, wording: Wording) -> str:
    """The source of `program`, 6 to 13 lines."""
    mapped = "" if program.mapping is None else program.mapping.code
    body: list[str] = []
    if program.guard.condition:
        body += [f"if {program.guard.condition}:", f"{_INDENT}return {_guard_value(program)}"]
    body += program.reduction.start
    body.append(f"for {program.walk.target} in {program.loop.iterable}:")
    if program.loop.stop:
        body += [f"{_INDENT}if {program.loop.stop}:", f"{_INDENT * 2}break"]
    body.append(f"{_INDENT}if {program.predicate.code}:")
    body += [f"{_INDENT * 2}{line.replace('{y}', mapped)}" for line in program.reduction.update]
    body.append(f"return {program.reduction.result}")
    source = "\n".join([render_signature(program, wording), *(f"{_INDENT}{line}" for line in body)])
    return _with_parameters(source, wording)


def render_statement(program: Program, wording: Wording, rng: random.Random) -> str:
    """One paragraph that says what `program` does, its phrases drawn from those of its features."""
    steps = [
        rng.choice(program.loop.phrases),
        f"keep the {program.walk.element} {rng.choice(program.predicate.phrases)}",
    ]
    mapping = "" if program.mapping is None else rng.choice(program.mapping.phrases)
    if mapping:
        steps.append(mapping)
    sentences = [f"{', '.join(steps)} and return {rng.choice(program.reduction.phrases)}."]
    if program.guard.condition:
        condition, value = rng.choice(program.guard.phrases), _guard_value(program)
        if rng.random() < 0.5:  # noqa: PLR2004
            sentences.append(f"If {condition}, return {value} instead.")
        else:
            sentences.insert(0, f"If {condition}, return {value}. Otherwise:")
    text = " ".join([rng.choice(program.walk.openings), *sentences])
    return _with_parameters(text, wording)


def _guard_value(program: Program) -> str:
    return _GUARD_VALUES[program.reduction.returns]


def _with_parameters(text: str, wording: Wording) -> str:
    for placeholder, name in zip(("{p}", "{q}"), wording.parameters, strict=False):
        text = text.replace(placeholder, name)
    return text
