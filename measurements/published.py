"""The published data that tests and measurements read: where it lies, and where it comes from.

`make data` runs this: it tells what is missing below the folder DATA, and from which repository a
file comes. Nothing is downloaded. Pack what is published unpacked: `gzip -n FILE`.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

DATA = Path(
    os.environ.get("PUBLISHED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data"
)
LLMDEBUGGER = DATA / "trajectories" / "llmdebugger"


@dataclass(frozen=True)
class Published:
    """One file: its place below DATA, its source, and the first digits of its SHA-256 as packed."""

    path: str
    source: str
    sha256: str


FILES = (
    Published(
        "benchmarks/BigCodeBench-v0.1.4.jsonl.gz",
        "bigcode-project/bigcodebench-annotation hf_data v0.1.0_hf @a3b89850 with the ten task "
        "edits of the later versions applied",
        "87e16f554b8dc146",
    ),
    Published(
        "benchmarks/HumanEval.jsonl.gz",
        "openai/human-eval data/HumanEval.jsonl.gz @6d43fb98",
        "b796127e635a67f9",
    ),
    Published(
        "benchmarks/HumanEvalPlus.jsonl.gz",
        "evalplus/humanevalplus_release HumanEvalPlus.jsonl.gz @200defce (v0.1.10)",
        "272720b90ac37550",
    ),
    Published(
        "benchmarks/MbppPlus.jsonl.gz",
        "evalplus/mbppplus_release MbppPlus.jsonl.gz @dadf43da (v0.2.0)",
        "af43697e8791c4c1",
    ),
    Published(
        "benchmarks/bigcodebench_hard_ids.json", "ids of BigCodeBench-Hard", "18b423cd98b860aa"
    ),
    Published(
        "benchmarks/livecodebench-v5-public-tests-279.jsonl.gz",
        "LiveCodeBench v5 window 2024-08 to 2025-01, joined from QwenLM/QwQ, rllm and mem2 copies",
        "3d1db6d0a32034c8",
    ),
    Published(
        "benchmarks/mbpp.jsonl.gz",
        "google-research/google-research mbpp/mbpp.jsonl",
        "2809de2a637dffec",
    ),
    Published(
        "benchmarks/sanitized-mbpp.json.gz",
        "google-research/google-research mbpp/sanitized-mbpp.json",
        "0eb858cb58bf7086",
    ),
    Published(
        "samples/codet-humaneval-codegen16b-100.jsonl.gz",
        "microsoft/CodeT CodeT/data/generated_data @35f54d60",
        "8b965894c36d8f37",
    ),
    Published(
        "samples/mgdebugger-humaneval-deepseekcoder.jsonl.gz",
        "YerbaPage/MGDebugger input_data @9edf906b",
        "203bd0e9455a7d73",
    ),
    Published(
        "samples/mgdebugger-mbpp-deepseekcoder.jsonl.gz",
        "YerbaPage/MGDebugger input_data @9edf906b",
        "d44b3b0f6c29a008",
    ),
    Published(
        "seeds/epicoder_feature_frequencies_top50.json",
        "microsoft/EpiCoder output/step1 statistics",
        "d1fb4d5af5d156c0",
    ),
    Published(
        "seeds/epicoder_feature_tree.json",
        "microsoft/EpiCoder output/feature_evol",
        "504d9ce5fa2ec984",
    ),
    Published(
        "seeds/epicoder_feature_tree_top50.json",
        "microsoft/EpiCoder output/step1 statistics",
        "5820458401fd5870",
    ),
    Published(
        "seeds/exercism_problem_specifications.jsonl.gz",
        "exercism/problem-specifications @03f83310",
        "11800f75440350b7",
    ),
    Published(
        "trajectories/llmdebugger/humaneval-codellama.jsonl.gz",
        "FloridSleeves/LLMDebugger results/ldb @49ac191f",
        "fd4bb338a7adf83f",
    ),
    Published(
        "trajectories/llmdebugger/humaneval-gpt-3.5-turbo-0613.jsonl.gz",
        "FloridSleeves/LLMDebugger results/ldb @49ac191f",
        "1d7b17c337c23bab",
    ),
    Published(
        "trajectories/llmdebugger/humaneval-gpt-4-seed.jsonl.gz",
        "FloridSleeves/LLMDebugger results/ldb @49ac191f",
        "2e10d6a8787dcc1a",
    ),
    Published(
        "trajectories/llmdebugger/humaneval-starcoder.jsonl.gz",
        "FloridSleeves/LLMDebugger results/ldb @49ac191f",
        "3c2ad186a0f44294",
    ),
    Published(
        "trajectories/llmdebugger/mbpp-codellama.jsonl.gz",
        "FloridSleeves/LLMDebugger results/ldb @49ac191f",
        "46e92d0956c393ba",
    ),
    Published(
        "trajectories/llmdebugger/mbpp-gpt-3.5-turbo-0613.jsonl.gz",
        "FloridSleeves/LLMDebugger results/ldb @49ac191f",
        "9f1bc3f175ba17bb",
    ),
    Published(
        "trajectories/llmdebugger/mbpp-starcoder.jsonl.gz",
        "FloridSleeves/LLMDebugger results/ldb @49ac191f",
        "64c17b9cfab2b13d",
    ),
)


def tell(folder: Path) -> list[str]:
    """A line for each file that is missing or differs from the one that was measured with."""
    lines: list[str] = []
    for each in FILES:
        path = folder / each.path
        if not path.is_file():
            lines.append(f"missing: {path}\n         from {each.source}")
        elif hashlib.sha256(path.read_bytes()).hexdigest()[:16] != each.sha256:
            lines.append(
                f"differs: {path}\n         from {each.source}; the packed file had SHA-256 "
                f"{each.sha256}..., which another packing changes too"
            )
    return lines


if __name__ == "__main__":
    found = tell(DATA)
    print("\n".join(found) or f"all {len(FILES)} files are in {DATA}")
    missing = sum(line.startswith("missing") for line in found)
    if missing:
        print(
            f"{missing} of {len(FILES)} files are missing: tests that need them skip, and "
            "`make bench` stops at them. Put them there, or name another folder: make data DATA=..."
        )
    sys.exit(missing > 0)
