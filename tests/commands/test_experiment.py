"""`iterpref experiment` lists arms, refuses what it cannot run and renders recorded results."""

import subprocess
import sys
from pathlib import Path

from experiment_examples import results

from iterpref_assets.core.experiment.arms import ARMS
from iterpref_assets.core.experiment.results import write_results

ROOT = Path(__file__).resolve().parents[2]


def experiment(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "iterpref_assets", "experiment", *arguments],
        cwd=cwd, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_every_arm_is_listed_with_what_it_changes() -> None:
    lines = experiment("arms").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [arm.name for arm in ARMS]
    assert "focal_rpo, alpha 3.0" in " ".join(lines)


def test_a_run_without_an_experiment_in_the_settings_is_one_line_with_the_remedy() -> None:
    done = experiment("run", "sft")
    assert done.returncode == 2
    assert "examples/experiment/lab.toml" in done.stderr


def test_an_unknown_arm_is_refused_with_the_known_ones() -> None:
    done = experiment("run", "magic", "--settings", "examples/experiment/lab.toml")
    assert done.returncode == 2
    assert "focal_rpo" in done.stderr


def test_a_grid_whose_problems_are_missing_is_refused_with_the_file(tmp_path: Path) -> None:
    real = ROOT / "examples" / "experiment" / "qwen.toml"
    done = experiment("run", "sft", "--settings", str(real), cwd=tmp_path)
    assert done.returncode == 2
    assert "benchmarks/mbpp.jsonl.gz: no such file" in done.stderr


def test_recorded_results_are_rendered(tmp_path: Path) -> None:
    write_results(results({"reference": ["01"], "sft": ["11"]}), tmp_path / "lab")
    page = tmp_path / "EXPERIMENT.md"
    done = experiment("render", "--results", str(tmp_path), "--page", str(page))
    assert done.returncode == 0, done.stderr
    assert "| sft | 1e-05 | 7 | 20 | 1 | 100.0" in page.read_text(encoding="utf-8")


def test_tables_of_another_base_model_than_the_folders_are_refused(tmp_path: Path) -> None:
    real = ROOT / "examples" / "experiment" / "qwen.toml"
    done = experiment("export", "--out", "results/lab", "--settings", str(real), cwd=tmp_path)
    assert done.returncode == 2
    assert "results/lab" in done.stderr
    assert "qwen2-5-coder-0-5b" in done.stderr
