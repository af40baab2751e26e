"""A benchmark is opened as its options say, and options of another benchmark are refused."""

from datetime import date
from pathlib import Path

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.benchmark_config import BenchmarkName
from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeBenchSplit, BigCodeBenchSubset
from iterpref_assets.core.evaluation.livecodebench.sources import LiveCodeBenchRules
from iterpref_assets.core.evaluation.suite_options import SuiteOptions

GIVEN = [
    ("--split", {"split": BigCodeBenchSplit.INSTRUCT}, {"bigcodebench"}),
    ("--subset", {"subset": BigCodeBenchSubset.HARD}, {"bigcodebench"}),
    ("--libraries", {"libraries": Path("folder")}, {"bigcodebench"}),
    ("--from", {"since": date(2024, 8, 1)}, {"livecodebench"}),
    ("--to", {"until": date(2024, 8, 1)}, {"livecodebench"}),
    ("--release", {"release": 1}, {"livecodebench"}),
    ("--rules", {"rules": LiveCodeBenchRules.OFFICIAL}, {"livecodebench"}),
    ("--base-only", {"base_only": True}, {"humaneval", "mbpp"}),
    ("--reference-factor", {"reference_factor": 2.0}, {"humaneval", "mbpp"}),
]


@pytest.mark.parametrize(("option", "given", "owners"), GIVEN, ids=[each[0] for each in GIVEN])
@pytest.mark.parametrize("benchmark", BenchmarkName)
def test_an_option_is_refused_by_the_benchmarks_that_would_ignore_it(
    benchmark: BenchmarkName, option: str, given: dict, owners: set[str]
) -> None:
    if benchmark in owners:
        SuiteOptions(benchmark, **given)
        return
    with pytest.raises(InputError, match=f"{option} is for .* only"):
        SuiteOptions(benchmark, **given)


@pytest.mark.parametrize("field", ["seconds", "memory_gib"])
@pytest.mark.parametrize("benchmark", BenchmarkName)
def test_limits_of_time_and_memory_are_for_every_benchmark(
    benchmark: BenchmarkName, field: str
) -> None:
    assert getattr(SuiteOptions(benchmark, **{field: 2.0}), field) == 2.0
