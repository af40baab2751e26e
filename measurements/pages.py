"""How soon a page of many trajectories is painted, how large it is, and what writing it takes.

Real trajectories (LLMDebugger's, as published) are repeated until there are enough; verdicts are
the recorded claims, since what a page costs does not depend on them. Chromium opens the page from
disk with an empty profile. Prints a JSON line for each number of trajectories.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from playwright.sync_api import Browser, sync_playwright

from iterpref_assets.core import tables
from iterpref_assets.core.frames import problems_to_frame
from iterpref_assets.core.pages.trajectories import write_trajectories_page
from iterpref_assets.core.pairs.recorded import read_trajectories

DATA = Path(os.environ.get("PUBLISHED_DATA", Path(__file__).resolve().parents[2] / "shared/data"))
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


def recorded(count: int, folder: Path) -> tuple[Path, Path]:
    """A version table of `count` trajectories, and its problem table."""
    found = read_trajectories(sorted((DATA / "trajectories" / "llmdebugger").glob("*.gz")))
    claims = found.claims.select("trajectory_id", solved="is_solved")
    last = pl.col("round") == pl.col("round").max().over("trajectory_id")
    passed = last & pl.col("solved").fill_null(value=False)
    once = found.versions.join(claims, on="trajectory_id", how="left").select(
        "trajectory_id", "problem_id", "sample", "round", "code",
        verdict=pl.when(passed).then(pl.lit("passed")).otherwise(pl.lit("wrong_answer")),
        error_type=pl.lit(""),
        feedback=pl.lit("assert f(1) == 2  # got 3"),
    )  # fmt: skip
    times = -(-count // once["trajectory_id"].n_unique())
    again = [
        once.with_columns(
            trajectory_id=pl.col("trajectory_id") + f".{number}",
            sample=pl.col("sample") + 100 * number,
        )
        for number in range(times)
    ]
    rows = pl.concat(again).select(
        pl.col(name).cast(dtype) for name, dtype in tables.VERSIONS.items()
    )
    kept = rows["trajectory_id"].unique(maintain_order=True).head(count)
    versions, problems = folder / "versions.parquet", folder / "problems.parquet"
    tables.write_table(
        rows.filter(pl.col("trajectory_id").is_in(kept.implode())), tables.VERSIONS, versions
    )
    tables.write_table(problems_to_frame(found.problems), tables.PROBLEMS, problems)
    return versions, problems


def opened(browser: Browser, file: Path) -> dict[str, float]:
    """Seconds until something is painted, rows are listed, and a search of every text is over."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    started = time.perf_counter()
    page.goto(file.as_uri(), wait_until="commit")
    page.locator("#rows [role=option]").first.wait_for()
    listed = time.perf_counter() - started
    page.wait_for_load_state()
    painted = page.evaluate(PAINT) / 1000
    before = page.locator("#count").inner_text()
    started = time.perf_counter()
    page.get_by_role("searchbox").fill("zip(")
    page.wait_for_function(
        "was => { const now = document.querySelector('#count').textContent;"
        " return now !== was && now.includes(' of '); }",
        arg=before,
    )
    found = time.perf_counter() - started
    context.close()
    return {"first_paint": painted, "rows": listed, "search": found}


def main() -> None:
    """Measure pages of each number of trajectories."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for count in arguments.rows:
            folder = Path(name)
            versions, problems = recorded(count, folder)
            started = time.process_time()
            write_trajectories_page([versions], [problems], folder / "page.html", "Trajectories")
            written = time.process_time() - started
            times = [opened(browser, folder / "page.html") for _ in range(arguments.repeats)]
            print(
                json.dumps(
                    {
                        "trajectories": count,
                        "megabytes": round((folder / "page.html").stat().st_size / 1e6, 1),
                        "cpu_seconds_to_write": round(written, 1),
                        **{
                            key: {
                                "median": round(statistics.median(each[key] for each in times), 2),
                                "longest": round(max(each[key] for each in times), 2),
                            }
                            for key in times[0]
                        },
                    }
                ),
                flush=True,
            )
        browser.close()


if __name__ == "__main__":
    main()
