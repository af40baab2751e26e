"""The sandbox proves itself: every reference solution of the published data passes."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from iterpref_assets.core.evaluation.evalplus.data import (
    SANDBOX_PACKAGES,
    EvalPlusBenchmark,
    load_evalplus,
)
from iterpref_assets.core.evaluation.evalplus.suite import evalplus_benchmark
from iterpref_assets.core.evaluation.sample_scoring import judge_sample
from iterpref_assets.core.evaluation.samples import Sample
from iterpref_assets.core.evaluation.scores import SampleStatus
from iterpref_assets.core.sandbox.sandbox import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.sandbox]


@pytest.mark.parametrize(("name", "file"), [("humaneval", "HumanEvalPlus"), ("mbpp", "MbppPlus")])
def test_every_reference_solution_passes(shared_data, tmp_path, name, file):
    data = load_evalplus(EvalPlusBenchmark(name), shared_data / "benchmarks" / f"{file}.jsonl.gz")
    with Sandbox(2, packages=SANDBOX_PACKAGES) as sandbox:
        benchmark = evalplus_benchmark(data, sandbox, tmp_path, 2)
        samples = [Sample(name, 0, problem.reference) for name, problem in data.problems.items()]
        with ThreadPoolExecutor(2) as pool:
            judged = pool.map(lambda sample: judge_sample(benchmark, sample, sandbox), samples)
            results = list(judged)
    passing = SampleStatus.PASS, SampleStatus.PASS
    failed = [r.task_id for r in results if (r.base_status, r.plus_status) != passing]
    assert failed == []
