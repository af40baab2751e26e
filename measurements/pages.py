"""How soon a page of many entries is painted, how large it is, and what writing it takes.

    python measurements/pages.py --page pairs --width 390 --rows 10000 50000

Real programs (LLMDebugger's, as published) are repeated until there are enough; verdicts are the
recorded claims, since what a page costs does not depend on them. An evaluation has each program as
an answer; its comparison is with the same answers where every third failure passes. Chromium opens
the page from disk with an empty profile, `--width` pixels wide. Prints a JSON line for each number
of entries; "scrolls_sideways" says whether list or entry are wider than the window.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from masks import claimed
from playwright.sync_api import Browser, Page, sync_playwright
from published import LLMDEBUGGER

from iterpref_assets.core import tables
from iterpref_assets.core.evaluation.scores import SampleStatus, Statuses
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.pages.answers import ShownAnswer
from iterpref_assets.core.pages.evaluations import (
    ShownModel,
    write_comparison_page,
    write_evaluation_page,
)
from iterpref_assets.core.pages.pairs import write_pairs_page
from iterpref_assets.core.pages.trajectories import write_trajectories_page
from iterpref_assets.core.pairs.build import build_pairs
from iterpref_assets.core.pairs.config import PairConfig
from iterpref_assets.core.pairs.recorded import Recorded, read_trajectories

PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
HEIGHT = {1440: 900}
"""Of windows that are not a phone's."""
CHANGED = (
    "was => { const now = document.querySelector('#count').textContent;"
    " return now !== was && now.includes(' of '); }"
)
FEEDBACK = "assert f(1) == 2  # got 3"


def versions_of(recorded: Recorded) -> pl.DataFrame:
    """Columns of tables.VERSIONS, with feedback for what failed."""
    told = claimed(recorded).with_columns(feedback=pl.lit(FEEDBACK))
    return told.select(pl.col(name).cast(dtype) for name, dtype in tables.VERSIONS.items())


def repeated(rows: pl.DataFrame, count: int, *names: str) -> pl.DataFrame:
    """The rows over and over, `count` different values of `names[0]`, told apart by a number."""
    times = -(-count // rows[names[0]].n_unique())
    again = pl.concat(
        rows.with_columns(pl.col(name) + f".{number}" for name in names) for number in range(times)
    )
    kept = again[names[0]].unique(maintain_order=True).head(count)
    return again.filter(pl.col(names[0]).is_in(kept.implode()))


def trajectories(recorded: Recorded, count: int, folder: Path) -> Callable[[Path], int]:
    """What writes the page of `count` trajectories."""
    rows = repeated(versions_of(recorded), count, "trajectory_id")
    versions, problems = folder / "versions.parquet", folder / "problems.parquet"
    tables.write_table(rows, tables.VERSIONS, versions)
    tables.write_table(problems_to_frame(recorded.problems), tables.PROBLEMS, problems)
    return lambda out: write_trajectories_page([versions], [problems], out, "Trajectories")


def pairs(recorded: Recorded, count: int, folder: Path) -> Callable[[Path], int]:
    """What writes the page of `count` pairs, dropped ones among them."""
    problems = problems_to_frame(recorded.problems)
    made = build_pairs(versions_of(recorded), problems, PairConfig())
    file = folder / "pairs.parquet"
    tables.write_table(repeated(made, count, "pair_id", "trajectory_id"), tables.PAIRS, file)
    return lambda out: write_pairs_page([file], [], out, "Pairs")


def answers(recorded: Recorded, count: int) -> Iterator[ShownAnswer]:
    """`count` programs as answers, each the next of its task."""
    rows = versions_of(recorded).to_dicts()
    samples: dict[str, int] = {}
    for row in itertools.islice(itertools.cycle(rows), count):
        task, passed = row["problem_id"], row["verdict"] == "passed"
        samples[task] = number = samples.get(task, -1) + 1
        status = SampleStatus.PASS if passed else SampleStatus.FAIL
        call = () if passed else ("f(1)", "2", "3")
        yield ShownAnswer(
            task, number, Statuses(base=status), row["verdict"], "", row["code"], *call
        )


def evaluation(recorded: Recorded, count: int, _folder: Path) -> Callable[[Path], int]:
    """What writes the page of `count` answers of one model."""
    model = ShownModel("reference", list(answers(recorded, count)))
    prompts = {each.problem_id: each.prompt for each in recorded.problems}
    return lambda out: write_evaluation_page(model, prompts, out, "Evaluation")


def comparison(recorded: Recorded, count: int, _folder: Path) -> Callable[[Path], int]:
    """What writes the page of `count` answers of each of two models."""
    first = list(answers(recorded, count))
    passed = {"statuses": Statuses(base=SampleStatus.PASS), "verdict": "passed"}
    second = [
        replace(each, **passed) if number % 3 == 0 else each for number, each in enumerate(first)
    ]
    models = ShownModel("reference", first), ShownModel("focal_rpo", second)
    prompts = {each.problem_id: each.prompt for each in recorded.problems}
    return lambda out: write_comparison_page(*models, prompts, out, "Comparison")


PAGES = {each.__name__: each for each in (trajectories, pairs, evaluation, comparison)}


def opened(browser: Browser, file: Path, width: int) -> dict[str, float]:
    """Seconds until something is painted, rows are listed, a filter and a search are over."""
    context = browser.new_context(viewport={"width": width, "height": HEIGHT.get(width, 800)})
    page = context.new_page()
    started = time.perf_counter()
    page.goto(file.as_uri(), wait_until="commit")
    page.locator("#rows [role=option]").first.wait_for()
    listed = time.perf_counter() - started
    page.wait_for_load_state()
    painted = page.evaluate(PAINT) / 1000
    filtered = changed(page, lambda: page.get_by_role("combobox").first.select_option(index=1))
    page.get_by_role("button", name="Clear").click()
    found = changed(page, lambda: page.get_by_role("searchbox").fill("zip("))
    page.keyboard.press("Escape")
    wide = sideways(page)
    page.locator("#rows [role=option]").first.click()
    page.locator("#detail h2").wait_for()
    wide = wide or sideways(page)
    context.close()
    return {
        "first_paint": painted, "rows": listed, "filter": filtered, "search": found,
        "scrolls_sideways": wide,
    }  # fmt: skip


def changed(page: Page, act: Callable[[], object]) -> float:
    """Seconds from an act until the page counts other entries."""
    before = page.locator("#count").inner_text()
    started = time.perf_counter()
    act()
    page.wait_for_function(CHANGED, arg=before)
    return time.perf_counter() - started


def sideways(page: Page) -> bool:
    """Whether the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def main() -> None:
    """Measure pages of each number of entries."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", choices=PAGES, default="trajectories")
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    recorded = read_trajectories(sorted(LLMDEBUGGER.glob("*.gz")))
    with TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for count in given.rows:
            out = Path(name) / "page.html"
            write = PAGES[given.page](recorded, count, Path(name))
            started = time.process_time()
            written = write(out)
            spent = time.process_time() - started
            times = [opened(browser, out, given.width) for _ in range(given.repeats)]
            wide = any(each.pop("scrolls_sideways") for each in times)
            told = {
                "page": given.page,
                "width": given.width,
                "entries": written,
                "megabytes": round(out.stat().st_size / 1e6, 1),
                "cpu_seconds_to_write": round(spent, 1),
                "scrolls_sideways": wide,
            }
            for key in times[0]:
                every = [each[key] for each in times]
                told[key] = {
                    "median": round(statistics.median(every), 2),
                    "longest": round(max(every), 2),
                }
            print(json.dumps(told), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
