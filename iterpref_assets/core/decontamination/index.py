"""Training problems that share a benchmark item's words, function or solution."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from iterpref_assets.core.decontamination.items import NAMELESS, BenchmarkItem
from iterpref_assets.core.decontamination.programs import normalised_digest, parameters_of
from iterpref_assets.core.records import Problem

WORDS = 10
"""How many words in a row are too many to share: the usual check of code data sets."""

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
)
"""Characters of scripts without blanks between words: Thai, Lao, Burmese, Khmer, Japanese and
Chinese."""

_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_CHARACTER = re.compile(rf"[{_UNSPACED}]")
_CHARACTERS_PER_WORD = 2
"""Characters of such a script that count as a word: Chinese words are mostly of two."""


class Rule(StrEnum):
    """What a training problem shares with a benchmark item.

    TASK_ID: its very id (MBPP+ has reworded some of MBPP's tasks beyond what the other rules see).
    PROMPT_WORDS: ten words in a row, case and punctuation aside (twenty characters, where a script
    puts no blanks between words); shorter prompts are never found by it. SIGNATURE: the function's
    name and its parameters' names. REFERENCE: the reference solution, but for names, layout,
    comments, annotations and imports.
    """

    TASK_ID = "task_id"
    PROMPT_WORDS = "prompt_words"
    SIGNATURE = "signature"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Compared:
    """What of a problem is compared, where there is no whole one; empty is what is not known."""

    problem_id: str
    prompt: str
    reference: str = ""
    entry_point: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Overlap:
    """What one problem shares with one item; `evidence` is what both have, shortened to a line."""

    rule: Rule
    item: BenchmarkItem
    evidence: str


class ContaminationIndex:
    """Finds what problems share with benchmark items."""

    def __init__(self, items: Iterable[BenchmarkItem], words: int = WORDS) -> None:
        self._words = words
        self._by_id: dict[str, list[BenchmarkItem]] = {}
        self._by_gram: dict[str, list[BenchmarkItem]] = {}
        self._by_signature: dict[tuple[str, tuple[str, ...]], list[BenchmarkItem]] = {}
        self._by_program: dict[str, list[BenchmarkItem]] = {}
        for item in items:
            self._add(item)

    def overlaps(self, problem: Problem | Compared) -> list[Overlap]:
        """Every item that `problem` overlaps with, once for each rule, with the first evidence."""
        found: dict[tuple[Rule, str], Overlap] = {}
        for overlap in self._all(problem):
            found.setdefault((overlap.rule, overlap.item.item), overlap)
        return list(found.values())

    def _add(self, item: BenchmarkItem) -> None:
        self._by_id.setdefault(item.item.casefold(), []).append(item)
        for gram in {gram for prompt in item.prompts for gram in grams(prompt, self._words)}:
            self._by_gram.setdefault(gram, []).append(item)
        if item.entry_point and item.parameters is not None:
            key = item.entry_point, item.parameters
            self._by_signature.setdefault(key, []).append(item)
        if item.program is not None:
            self._by_program.setdefault(item.program, []).append(item)

    def _all(self, problem: Problem | Compared) -> Iterator[Overlap]:
        for item in self._by_id.get(problem.problem_id.casefold(), ()):
            yield Overlap(Rule.TASK_ID, item, item.item)
        for gram in grams(problem.prompt, self._words) if self._by_gram else ():
            for item in self._by_gram.get(gram, ()):
                yield Overlap(Rule.PROMPT_WORDS, item, gram)
        yield from self._same_function(problem)
        if self._by_program and problem.reference:
            program = normalised_digest(problem.reference) or ""
            for item in self._by_program.get(program, ()):
                yield Overlap(Rule.REFERENCE, item, f"normalised program {program[:16]}")

    def _same_function(self, problem: Problem | Compared) -> Iterator[Overlap]:
        parameters = _parameters(problem) if self._by_signature else None
        if parameters is not None:
            shown = f"{problem.entry_point}({', '.join(parameters)})"
            for item in self._by_signature.get((problem.entry_point, parameters), ()):
                yield Overlap(Rule.SIGNATURE, item, shown)


def grams(text: str, words: int) -> Iterator[str]:
    """Every run of `words` words in `text`, in lower case, without what stands between them.

    Where a script puts no blanks between words, two characters count as a word. A number is a word,
    but numbers alone are no run: counting to ten is nobody's text.
    """
    tokens = _WORD.findall(text.casefold())
    weights = [1 if _CHARACTER.match(token) else _CHARACTERS_PER_WORD for token in tokens]
    wanted = words * _CHARACTERS_PER_WORD
    end = weight = 0
    for start in range(len(tokens)):
        while weight < wanted and end < len(tokens):
            weight += weights[end]
            end += 1
        if weight < wanted:
            return
        run = tokens[start:end]
        if not all(token.isdecimal() for token in run):
            yield " ".join(run)
        weight -= weights[start]


def _parameters(problem: Problem | Compared) -> tuple[str, ...] | None:
    name = problem.entry_point
    if not name or name in NAMELESS:
        return None
    found = parameters_of(problem.signature, name) if problem.signature else None
    return parameters_of(problem.reference, name) if found is None else found
