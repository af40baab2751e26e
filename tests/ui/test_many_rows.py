"""Every page holds tens of thousands of entries, on a narrow screen and on a wide one.

What a page costs is measured by measurements/pages.py; here it has to work.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Browser, Page, expect

from iterpref_assets.core import tables
from iterpref_assets.core.evaluation.scores import SampleStatus, Statuses
from iterpref_assets.core.pages.answers import ShownAnswer
from iterpref_assets.core.pages.evaluations import (
    ShownModel,
    write_comparison_page,
    write_evaluation_page,
)
from iterpref_assets.core.pages.pairs import write_pairs_page
from iterpref_assets.core.pages.trajectories import write_trajectories_page

WAIT_SECONDS = 120
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
LONG = "a_name_that_is_longer_than_a_narrow_screen_is_wide_" * 4

pytestmark = [pytest.mark.ui, pytest.mark.timeout(900)]


def answers(count: int) -> list[ShownAnswer]:
    """Every fifth passes; the names, calls and programs of all are wide."""
    return [
        ShownAnswer(
            f"{LONG}/{number}", 0,
            Statuses(base=SampleStatus.PASS if number % 5 == 0 else SampleStatus.FAIL),
            "passed" if number % 5 == 0 else "wrong_answer", "",
            f"def f(x):\n    return {LONG} + {number}\n",
            *(() if number % 5 == 0 else (f"f({LONG!r})", repr(LONG), "None")),
        )
        for number in range(count)
    ]  # fmt: skip


def evaluation(count: int, out: Path) -> None:
    write_evaluation_page(ShownModel(LONG, answers(count)), {}, out, LONG)


def comparison(count: int, out: Path) -> None:
    models = [ShownModel(name, answers(count)) for name in ("reference", LONG)]
    write_comparison_page(*models, {}, out, LONG)


def pairs(count: int, out: Path) -> None:
    """Every fifth is kept."""
    rows = [
        {
            "pair_id": f"{LONG}{number}#0:0-1", "trajectory_id": f"{LONG}{number}#0",
            "problem_id": f"{LONG}{number}", "prompt": LONG, "chosen": f"x = {LONG}\ny = {number}",
            "rejected": f"x = {LONG}\ny = -{number}", "chosen_round": 1, "rejected_round": 0,
            "chosen_diff_lines": [1], "rejected_diff_lines": [1],
            "dropped_by": None if number % 5 == 0 else "equal_ast",
        }
        for number in range(count)
    ]  # fmt: skip
    table = out.with_suffix(".parquet")
    pl.DataFrame(rows, schema=tables.PAIRS).write_parquet(table)
    write_pairs_page([table], [], out, LONG)


def trajectories(count: int, out: Path) -> None:
    """Every fifth is solved."""
    rows = [
        {
            "trajectory_id": f"{LONG}{number}#0", "problem_id": f"{LONG}{number}", "sample": 0,
            "round": 0, "code": f"x = {LONG}", "error_type": "", "feedback": LONG,
            "verdict": "passed" if number % 5 == 0 else "wrong_answer",
        }
        for number in range(count)
    ]  # fmt: skip
    table = out.with_suffix(".parquet")
    pl.DataFrame(rows, schema=tables.VERSIONS).write_parquet(table)
    write_trajectories_page([table], [], out, LONG)


PAGES = {
    evaluation: ("Outcome", "passed"),
    comparison: ("Change", "both pass"),
    pairs: ("Pairs", "kept"),
    trajectories: ("Outcome", "solved at once"),
}
"""A filter of each page, and its value that every fifth entry has."""


SIZES = [*((write, 10_000) for write in PAGES), (evaluation, 50_000), (pairs, 50_000)]


@pytest.fixture(
    scope="module", params=SIZES, ids=[f"{write.__name__}-{count}" for write, count in SIZES]
)
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, int, str, str]:
    """A page, how many entries it has, a filter and its value that every fifth has."""
    write, count = request.param
    out = tmp_path_factory.mktemp("many") / "page.html"
    write(count, out)
    return (out, count, *PAGES[write])


@pytest.fixture
def show(browser: Browser) -> Iterator[Callable[[Path, dict[str, int]], Page]]:
    """Opens a page in a window of that size."""
    contexts = []

    def opened(file: Path, viewport: dict[str, int]) -> Page:
        contexts.append(browser.new_context(viewport=viewport))
        page = contexts[-1].new_page()
        page.set_default_timeout(WAIT_SECONDS * 1000)
        page.goto(file.as_uri())
        expect(page.locator("#count")).not_to_be_empty()
        return page

    yield opened
    for context in contexts:
        context.close()


def fits(page: Page) -> bool:
    """Whether neither the page nor its parts scroll sideways."""
    return page.evaluate(
        "['html', '#list', '#detail'].map((name) => document.querySelector(name))"
        ".every((part) => part.scrollWidth <= part.clientWidth)"
    )


@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["narrow", "wide"])
def test_nothing_is_wider_than_the_screen(show, written, viewport) -> None:
    page = show(written[0], viewport)
    assert fits(page)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#detail h2")).to_contain_text(LONG)
    assert fits(page)


def test_some_rows_are_seen_on_a_narrow_screen(show, written) -> None:
    page = show(written[0], NARROW)
    row = page.get_by_role("listbox").get_by_role("option").nth(2)
    expect(row).to_be_in_viewport(ratio=1)


def test_a_filter_leaves_every_fifth(show, written) -> None:
    file, count, label, value = written
    page = show(file, NARROW)
    page.get_by_role("combobox", name=label).first.select_option(label=f"{value} ({count // 5:,})")
    expect(page.locator("#count")).to_have_text(f"{count // 5:,} of {count:,}")


def test_the_last_entry_can_be_searched_for_and_opened(show, written) -> None:
    file, count, *_ = written
    page = show(file, NARROW)
    page.get_by_role("searchbox").fill(f"{count - 1}")
    expect(page.locator("#count")).to_have_text(f"1 of {count:,}")
    page.get_by_role("listbox").get_by_role("option").click()
    expect(page.locator("#detail h2")).to_contain_text(str(count - 1))
