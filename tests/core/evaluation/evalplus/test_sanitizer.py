"""Answers are cut exactly as evalplus's own sanitizer cuts them."""

import evalplus.sanitize
import pytest
from answer_texts import answer_texts
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.evaluation.evalplus.data import EvalPlusBenchmark, load_evalplus
from iterpref_assets.core.evaluation.evalplus.sanitizer import sanitize

FILES = {
    EvalPlusBenchmark.HUMANEVAL: "HumanEvalPlus.jsonl.gz",
    EvalPlusBenchmark.MBPP: "MbppPlus.jsonl.gz",
}


@given(answer_texts(), st.sampled_from(["f", "g", "x"]))
def test_an_answer_is_cut_as_evalplus_cuts_it(text, entry_point):
    assert said(sanitize, text, entry_point) == said(evalplus.sanitize.sanitize, text, entry_point)


def said(cut, text, entry_point):
    """What comes of a text: a program, or that it cannot be encoded."""
    try:
        return cut(text, entry_point)
    except UnicodeEncodeError:
        return UnicodeEncodeError


@pytest.mark.parametrize("benchmark", FILES)
def test_references_are_cut_as_evalplus_cuts_them(shared_data, benchmark):
    problems = load_evalplus(benchmark, shared_data / "benchmarks" / FILES[benchmark]).problems
    short = [each for each in problems.values() if each.reference.count("\n") < 20]
    for each in short[:60]:
        expected = evalplus.sanitize.sanitize(each.reference, each.entry_point)
        assert sanitize(each.reference, each.entry_point) == expected
