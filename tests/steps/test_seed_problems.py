"""Raw seeds become kept ones, what is dropped is published, and the check sees for itself."""

import json
from pathlib import Path

import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.artifacts import ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.benchmark_config import BenchmarkName, BenchmarksConfig
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.records import Problem
from iterpref_assets.core.seeds.mixed import MixedSeeds
from iterpref_assets.settings import Settings
from iterpref_assets.steps.contamination import (
    benchmark_items,
    contaminated_problems,
    uncompared_benchmarks,
)
from iterpref_assets.steps.heldout_problems import HELDOUT_PROBLEMS, PROBLEMS_FILE, read_problems
from iterpref_assets.steps.raw_seeds import RAW_SEEDS
from iterpref_assets.steps.seed_problems import DROPPED_FILE, SEED_PROBLEMS
from iterpref_assets.steps.step import Step, StepContext

TEXT = "Write a function that counts how often each vowel occurs in a long text"


def row(name: str, prompt: str, **changes: str) -> dict:
    cases = [{"arguments": "()", "expected": "1"}]
    return {
        "problem_id": name, "source": "mine", "prompt": prompt,
        "tests": {"kind": "function", "entry_point": "f", "cases": cases}, **changes,
    }  # fmt: skip


def context(tmp_path: Path, shards: dict[str, list[dict]], **filters: object) -> StepContext:
    folder = tmp_path / "seeds"
    folder.mkdir(exist_ok=True)
    for name, rows in shards.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    heldout = tmp_path / "heldout.jsonl"
    heldout.write_text(json.dumps(row("h", "Held out.", split="heldout")) + "\n")
    settings = Settings.model_validate(
        {
            "root": tmp_path / "data",
            "seeds": {"kind": "files", "folder": folder, "heldout": heldout},
            "seed_filter": filters,
        }
    )
    return StepContext(settings, ArtifactStore(settings.root))


def publish(step: Step, context: StepContext, *partitions: str) -> None:
    step.publish(context, [context.store.pinned(step.plan(context, p)) for p in partitions])


def kept(context: StepContext, shard: str) -> list[str]:
    return [p.problem_id for p in read_problems(context.store, ArtifactKey("seed_problems", shard))]


def made(tmp_path: Path, shards: dict[str, list[dict]], **filters: object) -> StepContext:
    made = context(tmp_path, shards, **filters)
    publish(HELDOUT_PROBLEMS, made, "all")
    publish(RAW_SEEDS, made, *shards)
    return made


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    item = {
        "task_id": "HumanEval/7", "prompt": TEXT, "entry_point": "vowels",
        "canonical_solution": "",
    }  # fmt: skip
    path = tmp_path / "benchmark.jsonl"
    path.write_text(json.dumps(item) + "\n")
    return path


def test_what_is_dropped_is_a_table_beside_what_is_kept(tmp_path: Path, benchmark: Path) -> None:
    rows = [row("a", TEXT), row("b", "Sort."), row("c", "sort.")]
    run = made(tmp_path, {"s": rows}, benchmark_files=[benchmark])
    publish(SEED_PROBLEMS, run, "s")
    artifact = run.store.current(ArtifactKey("seed_problems", "s"))
    dropped = tables.read_table(artifact.path(DROPPED_FILE), tables.DROPPED_SEEDS)
    assert kept(run, "s") == ["b"]
    assert dropped.select("problem_id", "reason", "benchmark", "shared_with").rows() == [
        ("a", "prompt_words", "HumanEval", "HumanEval/7"),
        ("c", "exact_duplicate", None, "b"),
    ]
    assert artifact.manifest.figures["dropped"] == {"prompt_words": 1, "exact_duplicate": 1}


def test_the_manifest_says_how_many_items_of_which_benchmark_were_compared_with(
    tmp_path: Path, benchmark: Path
) -> None:
    run = made(tmp_path, {"s": [row("b", "Sort.")]}, benchmark_files=[benchmark])
    publish(SEED_PROBLEMS, run, "s")
    artifact = run.store.current(ArtifactKey("seed_problems", "s"))
    assert artifact.manifest.figures["compared_with"] == {"HumanEval": 1}


def test_a_duplicate_in_a_later_shard_is_dropped_whatever_is_made_first(tmp_path: Path) -> None:
    shards = {"s": [row("a", "Sort.")], "t": [row("b", "sort."), row("c", "Reverse.")]}
    run = made(tmp_path, shards)
    publish(SEED_PROBLEMS, run, "t")
    assert kept(run, "t") == ["c"]
    publish(SEED_PROBLEMS, run, "s", "t")
    assert (kept(run, "s"), kept(run, "t")) == (["a"], ["c"])


def test_a_later_shard_that_changes_leaves_an_earlier_one_current(tmp_path: Path) -> None:
    shards = {"s": [row("a", "Sort.")], "t": [row("c", "Reverse.")]}
    run = made(tmp_path, shards)
    publish(SEED_PROBLEMS, run, "s", "t")
    changed = context(tmp_path, {**shards, "t": [row("d", "Shuffle.")]})
    publish(RAW_SEEDS, changed, "t")
    current = [run.store.reusable(SEED_PROBLEMS.plan(changed, shard)) is not None for shard in "st"]
    assert current == [True, False]


@pytest.mark.parametrize("wanted", [("t",), ("s", "t")])
def test_an_id_that_names_another_problem_in_an_earlier_shard_is_refused(
    tmp_path: Path, wanted: tuple[str, ...]
) -> None:
    run = made(tmp_path, {"s": [row("p1", "Sort.")], "t": [row("p1", "Reverse.")]})
    with pytest.raises(InputError, match="'p1' names another problem of raw_seeds/s") as caught:
        publish(SEED_PROBLEMS, run, *wanted)
    assert (caught.value.file, caught.value.field) == ("raw_seeds/t", "problem_id")


def test_an_id_that_two_sources_hold_out_is_refused(tmp_path: Path) -> None:
    run = context(tmp_path, {"s": [row("a", "Sort.")]})
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps(row("h", "Another.", split="heldout")) + "\n")
    source = run.settings.seeds
    sources = (source, source.model_copy(update={"heldout": other}))
    settings = run.settings.model_copy(update={"seeds": MixedSeeds(sources=sources)})
    with pytest.raises(InputError, match="'h' names another problem of heldout_problems"):
        publish(HELDOUT_PROBLEMS, StepContext(settings, run.store), "all")


def test_the_same_problem_in_two_shards_is_dropped_from_the_later_one(tmp_path: Path) -> None:
    shards = {"s": [row("a", "Sort.")], "t": [row("a", "Sort."), row("b", "Reverse.")]}
    run = made(tmp_path, shards)
    publish(SEED_PROBLEMS, run, "s", "t")
    assert (kept(run, "s"), kept(run, "t")) == (["a"], ["b"])


def test_a_shard_of_which_nothing_is_left_is_refused_with_the_reasons(tmp_path: Path) -> None:
    run = made(
        tmp_path, {"s": [row("HumanEval/3", "Sort."), row("b", "Sort.", source="llmdebugger")]}
    )
    with pytest.raises(InputError, match=r"benchmark_task.*2"):
        publish(SEED_PROBLEMS, run, "s")


@pytest.mark.sandbox
def test_a_seed_whose_own_reference_fails_is_dropped_with_its_verdict(tmp_path: Path) -> None:
    good = row("a", "Sort.", reference="def f():\n    return 1")
    bad = row("b", "Reverse.", reference="def f():\n    return 2")
    run = made(tmp_path, {"s": [good, bad, row("c", "Shuffle.")]})
    publish(SEED_PROBLEMS, run, "s")
    artifact = run.store.current(ArtifactKey("seed_problems", "s"))
    dropped = tables.read_table(artifact.path(DROPPED_FILE), tables.DROPPED_SEEDS)
    assert kept(run, "s") == ["a", "c"]
    assert dropped.select("problem_id", "reason", "evidence").rows() == [
        ("b", "reference_fails", "wrong_answer: assert f() == 1  # got 2")
    ]


def test_another_benchmark_file_makes_the_seeds_stale(tmp_path: Path, benchmark: Path) -> None:
    run = made(tmp_path, {"s": [row("b", "Sort.")]})
    publish(SEED_PROBLEMS, run, "s")
    other = context(tmp_path, {"s": [row("b", "Sort.")]}, benchmark_files=[benchmark])
    assert run.store.reusable(SEED_PROBLEMS.plan(run, "s")) is not None
    assert run.store.reusable(SEED_PROBLEMS.plan(other, "s")) is None


def test_two_benchmark_files_of_one_name_are_refused_rather_than_one_of_them_forgotten(
    tmp_path: Path, benchmark: Path
) -> None:
    other = tmp_path / "other" / benchmark.name
    other.parent.mkdir()
    other.write_bytes(benchmark.read_bytes())
    run = context(tmp_path, {"s": [row("b", "Sort.")]}, benchmark_files=[benchmark, other])
    with pytest.raises(InputError, match="another benchmark has this name") as caught:
        SEED_PROBLEMS.plan(run, "s")
    assert (caught.value.file, caught.value.field) == (other, "seed_filter.benchmark_files")


def publish_seeds(run: StepContext, *rows: dict) -> None:
    frame = problems_to_frame(Problem.model_validate(each) for each in rows)
    with run.store.publishing(Plan(ArtifactKey("seed_problems", "s"), "1")) as staging:
        tables.write_table(frame, tables.PROBLEMS, staging.folder / PROBLEMS_FILE)


def contaminated(run: StepContext) -> list[str]:
    found = contaminated_problems(run.settings, run.store, ["s"], benchmark_items(run.settings))
    return found.lines


@pytest.mark.parametrize(
    ("seed", "offenders"),
    [
        (row("b", "Sort."), []),
        (row("a", TEXT), ["a: prompt_words of HumanEval/7"]),
        (row("MBPP/5", "Sort.", source="llmdebugger"), ["MBPP/5: benchmark_task of llmdebugger"]),
    ],
)
def test_the_check_finds_what_reached_the_seeds_all_the_same(
    tmp_path: Path, benchmark: Path, seed: dict, offenders: list[str]
) -> None:
    run = context(tmp_path, {"s": [seed]}, benchmark_files=[benchmark])
    publish_seeds(run, seed)
    assert contaminated(run) == offenders


def test_a_named_override_lets_that_source_through_and_is_in_the_manifest(tmp_path: Path) -> None:
    seed = row("MBPP/5", "Sort.", source="llmdebugger")
    run = made(tmp_path, {"s": [seed]}, allow_training_on=["llmdebugger"])
    publish(SEED_PROBLEMS, run, "s")
    manifest = run.store.current(ArtifactKey("seed_problems", "s")).manifest
    assert manifest.config["seed_filter"]["allow_training_on"] == ["llmdebugger"]
    assert contaminated(run) == []


def test_benchmarks_without_a_file_are_named_with_the_remedy(
    tmp_path: Path, benchmark: Path
) -> None:
    seed = row("b", "Sort.")
    run = context(tmp_path, {"s": [seed]}, benchmark_files=[benchmark])
    publish_seeds(run, seed)
    named = uncompared_benchmarks(run.settings, run.store, ["s"]).lines
    files = ["mbpp.jsonl.gz", "MbppPlus.jsonl.gz", "BigCodeBench-v0.1.4.jsonl.gz", "test.jsonl"]
    assert [file in text for file, text in zip(files, named, strict=True)] == [True] * 4
    assert all("seed_filter.benchmark_files" in text for text in named)


def test_a_benchmark_that_is_scored_is_compared_with_and_mbpps_test_split_is_not(
    tmp_path: Path,
) -> None:
    seed = row("b", "Sort.")
    run = context(tmp_path, {"s": [seed]})
    publish_seeds(run, seed)
    scored = {name: {"data": "official"} for name in BenchmarkName}
    settings = run.settings.model_copy(update={"benchmarks": BenchmarksConfig(**scored)})
    (left,) = uncompared_benchmarks(settings, run.store, ["s"]).lines
    assert left.startswith("not compared with MBPP: add mbpp.jsonl.gz")


def test_every_published_benchmark_file_given_leaves_none_out(
    tmp_path: Path, shared_data: Path
) -> None:
    names = [
        "HumanEvalPlus.jsonl.gz", "mbpp.jsonl.gz", "MbppPlus.jsonl.gz",
        "BigCodeBench-v0.1.4.jsonl.gz", "livecodebench-v5-public-tests-279.jsonl.gz",
    ]  # fmt: skip
    files = [shared_data / "benchmarks" / name for name in names]
    seed = row("b", "Sort.")
    run = context(tmp_path, {"s": [seed]}, benchmark_files=files)
    publish_seeds(run, seed)
    assert uncompared_benchmarks(run.settings, run.store, ["s"]).lines == []


def test_the_labs_seeds_need_no_benchmark_files(tmp_path: Path) -> None:
    seed = row("b", "Sort.", source="lab")
    run = context(tmp_path, {"s": [seed]})
    publish_seeds(run, seed)
    assert uncompared_benchmarks(run.settings, run.store, ["s"]).lines == []


def test_the_labs_seeds_are_what_the_lab_composes(tmp_path: Path) -> None:
    lab = {"shards": 2, "problems_per_shard": 40, "heldout_problems": 20}
    settings = Settings.model_validate({"root": tmp_path, "seeds": {"kind": "lab", "lab": lab}})
    run = StepContext(settings, ArtifactStore(settings.root))
    shards = settings.seeds.shards()
    publish(HELDOUT_PROBLEMS, run, "all")
    publish(RAW_SEEDS, run, *shards)
    publish(SEED_PROBLEMS, run, *shards)
    for shard in shards:
        key = ArtifactKey("seed_problems", shard)
        composed = problems_to_frame(settings.seeds.load_shard(shard).problems)
        assert problems_to_frame(read_problems(run.store, key)).equals(composed)
