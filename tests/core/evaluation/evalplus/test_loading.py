import gzip
import subprocess
import sys

import pytest

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.evalplus.data import (
    EvalPlusBenchmark,
    load_evalplus,
    load_evalplus_again,
)

FILES = [("humaneval", "HumanEvalPlus"), ("mbpp", "MbppPlus")]


@pytest.mark.parametrize(("benchmark", "file"), FILES)
def test_what_is_kept_is_what_evalplus_loads(shared_data, tmp_path, benchmark, file):
    path = shared_data / "benchmarks" / f"{file}.jsonl.gz"
    load_evalplus_again(EvalPlusBenchmark(benchmark), path, tmp_path)
    assert load_evalplus_again(EvalPlusBenchmark(benchmark), path, tmp_path) == load_evalplus(
        EvalPlusBenchmark(benchmark), path
    )


def test_a_changed_file_is_loaded_anew(shared_data, tmp_path):
    path = tmp_path / "cut.jsonl"
    whole = gzip.decompress((shared_data / "benchmarks" / "HumanEvalPlus.jsonl.gz").read_bytes())
    for tasks in (2, 1):
        path.write_bytes(b"".join(whole.splitlines(keepends=True)[:tasks]))
        found = load_evalplus_again(EvalPlusBenchmark.HUMANEVAL, path, tmp_path / "cache")
        assert len(found.problems) == tasks


def test_evalplus_is_not_imported_the_second_time(shared_data, tmp_path):
    path = shared_data / "benchmarks" / "HumanEvalPlus.jsonl.gz"
    load_evalplus_again(EvalPlusBenchmark.HUMANEVAL, path, tmp_path)
    code = (
        "import sys; from pathlib import Path\n"
        "from iterpref_assets.core.evaluation.evalplus.data import load_evalplus_again\n"
        "load_evalplus_again('humaneval', Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "print('evalplus' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent.jsonl: no such file"):
        load_evalplus_again(EvalPlusBenchmark.HUMANEVAL, tmp_path / "absent.jsonl", tmp_path)


def test_a_damaged_gzip_is_named(damaged_gzip):
    with pytest.raises(InputError, match=r"damaged\.jsonl\.gz"):
        load_evalplus_again(EvalPlusBenchmark.HUMANEVAL, damaged_gzip, damaged_gzip.parent)
