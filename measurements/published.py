"""The published data that tests and measurements read: where it lies, and where it comes from.

`make data` runs this: it tells what is missing below the folder DATA, and from which repository,
commit and path a file comes. `make bench` asks for the files that it reads alone. Nothing is
downloaded. Pack what is published unpacked: `gzip FILE`.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DATA = Path(
    os.environ.get("PUBLISHED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data"
)
LLMDEBUGGER = DATA / "trajectories" / "llmdebugger"


@dataclass(frozen=True)
class Published:
    """One file.

    Attributes:
        path: its place below DATA.
        source: repository, commit and path; and how it was made of that, where it is no copy.
        sha256: the first digits of its content's SHA-256, unpacked.
    """

    path: str
    source: str
    sha256: str


FILES = (
    Published(
        "benchmarks/BigCodeBench-v0.1.4.jsonl.gz",
        "bigcode-project/bigcodebench-annotation @a3b89850 hf_data/BigCodeBench.jsonl.gz, "
        "with the edits that later releases made to ten tasks: BigCodeBench/16, 37, 178, 211,"
        " 215, 241, 267, 760, 1005 and 1006",
        "0a02220ab46eb020",
    ),
    Published(
        "benchmarks/HumanEval.jsonl.gz",
        "openai/human-eval @6d43fb98 data/HumanEval.jsonl.gz",
        "1d49078ba3e2b196",
    ),
    Published(
        "benchmarks/HumanEvalPlus.jsonl.gz",
        "evalplus/humanevalplus_release @200defce (v0.1.10) HumanEvalPlus.jsonl.gz",
        "42526ec0e7d5f3ee",
    ),
    Published(
        "benchmarks/MbppPlus.jsonl.gz",
        "evalplus/mbppplus_release @dadf43da (v0.2.0) MbppPlus.jsonl.gz",
        "b54e762755248ca4",
    ),
    Published(
        "benchmarks/bigcodebench_hard_ids.json",
        "a JSON list of the 148 task ids of BigCodeBench-Hard, which is "
        "bigcode/bigcodebench-hard on the Hugging Face hub; the commit they were taken at is "
        "not recorded",
        "18b423cd98b860aa",
    ),
    Published(
        "benchmarks/livecodebench-v5-public-tests-279.jsonl.gz",
        "the contests of 2024-08 to 2025-01 in LiveCodeBench v5, public tests alone, joined "
        "from copies in QwenLM/QwQ, rllm and mem2; how and at which commits is not recorded, "
        "so this file cannot be made again. The benchmark itself is "
        "livecodebench/code_generation_lite on the Hugging Face hub",
        "b1949d803034d9fc",
    ),
    Published(
        "benchmarks/mbpp.jsonl.gz",
        "google-research/google-research @30adf0ec mbpp/mbpp.jsonl",
        "ccf64ceae9c5403b",
    ),
    Published(
        "benchmarks/sanitized-mbpp.json.gz",
        "google-research/google-research @30adf0ec mbpp/sanitized-mbpp.json",
        "ca95deaa9a01ef0a",
    ),
    Published(
        "samples/codet-humaneval-codegen16b-100.jsonl.gz",
        "microsoft/CodeT @35f54d60 "
        "CodeT/data/generated_data/"
        "hmeval_codegen16B_temp0.8_topp0.95_num100_max300_code_solution.jsonl",
        "239b84349993c19a",
    ),
    Published(
        "samples/mgdebugger-humaneval-deepseekcoder.jsonl.gz",
        "YerbaPage/MGDebugger @9edf906b input_data/humaneval/seed/deepseekcoder/seed.jsonl",
        "1685b4aa4b3fe355",
    ),
    Published(
        "samples/mgdebugger-mbpp-deepseekcoder.jsonl.gz",
        "YerbaPage/MGDebugger @9edf906b input_data/mbpp/seed/deepseekcoder/seed.jsonl",
        "92ebc12ee852197c",
    ),
    Published(
        "seeds/epicoder_feature_frequencies_top50.json",
        "microsoft/EpiCoder @fc18828d "
        "output/step1/TheStack_V2/Python_clustered/prompt10/statistics/"
        "extract_0-24000_frequency_top_50_fre.json",
        "d1fb4d5af5d156c0",
    ),
    Published(
        "seeds/epicoder_feature_tree.json",
        "microsoft/EpiCoder @fc18828d "
        "output/feature_evol/TheStack_V2/Python_clustered/prompt8/gpt-4o/"
        "extract_0-10_frequency_depth3_dict3_top50_fea_extract12/"
        "seed42-step0-10_merged_fea.json",
        "504d9ce5fa2ec984",
    ),
    Published(
        "seeds/epicoder_feature_tree_top50.json",
        "microsoft/EpiCoder @fc18828d "
        "output/step1/TheStack_V2/Python_clustered/prompt10/statistics/"
        "extract_0-24000_frequency_top_50_fea.json",
        "5820458401fd5870",
    ),
    Published(
        "seeds/exercism_problem_specifications.jsonl.gz",
        "exercism/problem-specifications @03f83310 exercises/, a JSON line a folder by name: "
        "slug, deprecated (there is a .deprecated), metadata, introduction, instructions, "
        "description and canonical_data (the files, parsed; null where there is none), "
        "n_cases (the cases in the latter)",
        "733195547d800b75",
    ),
    Published(
        "trajectories/llmdebugger/humaneval-codellama.jsonl.gz",
        "FloridSleeves/LLMDebugger @49ac191f results/ldb/humaneval/codellama/results.jsonl",
        "0ee01cba242d4089",
    ),
    Published(
        "trajectories/llmdebugger/humaneval-gpt-3.5-turbo-0613.jsonl.gz",
        "FloridSleeves/LLMDebugger @49ac191f "
        "results/ldb/humaneval/gpt-3.5-turbo-0613/results.jsonl",
        "85659678dc419a2a",
    ),
    Published(
        "trajectories/llmdebugger/humaneval-gpt-4-seed.jsonl.gz",
        "FloridSleeves/LLMDebugger @49ac191f results/ldb/humaneval/gpt-4-seed/results.jsonl",
        "81f9f7c0f3f428f9",
    ),
    Published(
        "trajectories/llmdebugger/humaneval-starcoder.jsonl.gz",
        "FloridSleeves/LLMDebugger @49ac191f results/ldb/humaneval/starcoder/results.jsonl",
        "8bd067917fa8328d",
    ),
    Published(
        "trajectories/llmdebugger/mbpp-codellama.jsonl.gz",
        "FloridSleeves/LLMDebugger @49ac191f results/ldb/mbpp/codellama/results.jsonl",
        "517b5707bb67913e",
    ),
    Published(
        "trajectories/llmdebugger/mbpp-gpt-3.5-turbo-0613.jsonl.gz",
        "FloridSleeves/LLMDebugger @49ac191f results/ldb/mbpp/gpt-3.5-turbo-0613/results.jsonl",
        "257d552d729224a5",
    ),
    Published(
        "trajectories/llmdebugger/mbpp-starcoder.jsonl.gz",
        "FloridSleeves/LLMDebugger @49ac191f results/ldb/mbpp/starcoder/results.jsonl",
        "2270c9a653431cab",
    ),
)


BENCH = (
    "benchmarks/BigCodeBench-v0.1.4.jsonl.gz",
    "benchmarks/HumanEvalPlus.jsonl.gz",
    "benchmarks/MbppPlus.jsonl.gz",
    "benchmarks/bigcodebench_hard_ids.json",
    *(each.path for each in FILES if each.path.startswith(("samples/", "trajectories/"))),
)
"""What `make bench` reads."""


def tell(folder: Path, files: Iterable[Published]) -> list[str]:
    """A line for each file that is missing or differs from the one that was measured with."""
    lines: list[str] = []
    for each in files:
        path = folder / each.path
        if not path.is_file():
            lines.append(f"missing: {path}\n         from {each.source}")
        elif _digest(path) != each.sha256:
            lines.append(f"differs: {path}\n         from {each.source}")
    return lines


def _digest(path: Path) -> str:
    """Of the content, which a file packed anew shares; "" where it cannot be unpacked."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except (OSError, EOFError, zlib.error):
        return ""


if __name__ == "__main__":
    for_bench = sys.argv[1:] == ["bench"]
    wanted = [each for each in FILES if not for_bench or each.path in BENCH]
    found = tell(DATA, wanted)
    print("\n".join(found) or f"all {len(wanted)} files are in {DATA}")
    missing = sum(line.startswith("missing") for line in found)
    if missing:
        stops = "`make bench` needs them" if for_bench else "tests that need them skip"
        print(
            f"{missing} of {len(wanted)} files are missing: {stops}. Put them there, or name "
            f"another folder: make {'bench' if for_bench else 'data'} DATA=..."
        )
    sys.exit(missing > 0)
