"""How many answers of a model can be used: synthetic tasks and judged pairs, with every fault.

    iterpref pairs FOLDER/*.jsonl.gz --trajectories FILE --tokenizer MODEL --out pairs.parquet
    python measurements/answer_yields.py MODEL --tree TREE.json --pairs pairs.parquet --work DIR

MODEL is a checkpoint's folder; it runs on vLLM in this process. TREE is a feature tree of
EpiCoder's form. The pairs are the first kept ones of the table. Answers are kept in DIR, so an
interrupted run goes on, and a run after a change of the reading asks nothing again.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.answer_log import failures_in
from iterpref_assets.core.engines.config import Dtype, VllmConfig
from iterpref_assets.core.engines.opening import open_engine
from iterpref_assets.core.engines.protocol import Engine
from iterpref_assets.core.pairs.config import JudgeConfig
from iterpref_assets.core.pairs.judge import judge_pair_file
from iterpref_assets.core.sampling import GenerationConfig
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Limits
from iterpref_assets.core.seeds.synthesis import Written, read_written, write_tasks
from iterpref_assets.core.seeds.synthetic import FeatureTreeSeeds

VLLM = VllmConfig(dtype=Dtype.BFLOAT16, max_model_len=4096, max_num_seqs=64)


def main() -> None:
    """Ask, read and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--tree", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True, help="tables.PAIRS")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--judged", type=int, default=100)
    parser.add_argument("--max-tokens", type=int, default=1024, help="of a task or program")
    parser.add_argument("--temperature", type=float, default=0.8)
    asyncio.run(_measure(parser.parse_args()))


async def _measure(options: argparse.Namespace) -> None:
    async with open_engine(VLLM, options.model) as engine:
        await _synthesise(options, engine)
        await _judge(options, engine)


async def _synthesise(options: argparse.Namespace, engine: Engine) -> None:
    seeds = FeatureTreeSeeds(tree=options.tree, tasks_per_shard=options.tasks, heldout=options.tree)
    config = GenerationConfig(
        temperature=options.temperature, max_tokens=options.max_tokens, max_in_flight=64
    )
    draws = seeds.draws("tree-000")
    work = options.work / f"tasks-{options.temperature}-{options.max_tokens}"
    completions = await write_tasks(draws, engine, config, (), work)
    written = read_written(draws, completions, ())
    programs = completions.filter(pl.col("round") == -1)
    print(f"tasks: {options.tasks} asked for, {programs.height} could be read")
    print(f"programs with tests: {len(written.problems)} of {programs.height} could be read")
    _show("faults", {fault.value: count for fault, count in written.faults.items()})
    _show("of other reasons", Counter(each.reason.value for each in written.unusable))
    _show("calls without an answer", failures_in(completions))
    _show("verdicts of the programs under their own tests", _verdicts(written))


def _verdicts(written: Written) -> Mapping[str, int]:
    with Sandbox() as sandbox:
        return Counter(
            sandbox.judge(written.programs[each.problem_id], each.tests, Limits()).verdict.value
            for each in written.problems
        )


async def _judge(options: argparse.Namespace, engine: Engine) -> None:
    kept = pl.read_parquet(options.pairs).filter(pl.col("dropped_by").is_null())
    pairs = options.work / "pairs.parquet"
    tables.write_table(kept.head(options.judged), tables.PAIRS, pairs)
    outcome = await judge_pair_file(
        pairs,
        engine,
        JudgeConfig(engine=VLLM, model=str(options.model)),
        options.work / "judge.jsonl",
        pairs_out=options.work / "judged.parquet",
        judgements_out=options.work / "judgements.parquet",
    )
    _show(f"answers about {min(options.judged, kept.height)} pairs", outcome.answers)
    _show("calls without an answer", outcome.failures)


def _show(title: str, counts: Mapping[str, int]) -> None:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    print(f"{title}: {', '.join(f'{name} {count}' for name, count in ordered if count) or 'none'}")


if __name__ == "__main__":
    main()
