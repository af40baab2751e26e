"""The pages of trajectories, evaluations and pairs, opened from disk by a real browser."""

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from live_deployment import LiveDeployment
from playwright.sync_api import Browser, Locator, Page, expect
from user_interface import UserInterface

from iterpref_assets.core import tables
from iterpref_assets.core.evaluation.scores import SampleStatus, Statuses
from iterpref_assets.core.pages.answers import ShownAnswer
from iterpref_assets.core.pages.evaluations import ShownModel, write_comparison_page
from iterpref_assets.core.pages.pairs import write_pairs_page
from iterpref_assets.core.pages.trajectories import write_trajectories_page

MANY = 10_000
HOSTILE = (
    "</script><script>window.attacked = 1</script>\n"
    "<img src=x onerror='window.attacked = 2'><iframe srcdoc='<script>parent.attacked=3</script>'>"
)
NARROW, WIDE = {"width": 390, "height": 800}, {"width": 1440, "height": 900}

pytestmark = [pytest.mark.ui, pytest.mark.timeout(900)]


def versions(number: int) -> Iterator[dict]:
    """A trajectory that fails once; every fourth fails again."""
    name = f"p{number:05}"
    programs = [f"def f(x):\n    return x - {number}", f"def f(x):\n    return x + {number}"]
    verdicts = ["wrong_answer", "wrong_answer" if number % 4 == 0 else "passed"]
    for round_, (code, verdict) in enumerate(zip(programs, verdicts, strict=True)):
        yield {
            "trajectory_id": f"{name}#0", "problem_id": name, "sample": 0, "round": round_,
            "code": code, "verdict": verdict, "error_type": "", "feedback": f"assert f({number})",
        }  # fmt: skip


@pytest.fixture(scope="module")
def trajectories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 10,000 trajectories."""
    folder = tmp_path_factory.mktemp("trajectories")
    rows = [row for number in range(MANY) for row in versions(number)]
    pl.DataFrame(rows, schema=tables.VERSIONS).write_parquet(folder / "v.parquet")
    write_trajectories_page([folder / "v.parquet"], [], folder / "page.html", "Trajectories")
    return folder / "page.html"


def pair(name: str, rejected: str, chosen: str, gone: list[int], come: list[int]) -> dict:
    return {
        "pair_id": f"{name}#0:0-1", "trajectory_id": f"{name}#0", "problem_id": name,
        "prompt": HOSTILE, "chosen": chosen, "rejected": rejected, "chosen_round": 1,
        "rejected_round": 0, "chosen_diff_lines": come, "rejected_diff_lines": gone,
        "dropped_by": None,
    }  # fmt: skip


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of two pairs, one of hostile programs."""
    folder = tmp_path_factory.mktemp("pairs")
    rows = [
        pair("a", "same\nwrong\nend", "same\nright\nmore\nend", [1], [1, 2]),
        pair(HOSTILE, HOSTILE, f"{HOSTILE}\nx", [], [2]),
    ]
    pl.DataFrame(rows, schema=tables.PAIRS).write_parquet(folder / "pairs.parquet")
    write_pairs_page([folder / "pairs.parquet"], [], folder / "page.html", HOSTILE)
    return folder / "page.html"


@pytest.fixture
def show(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a file in a window of its own."""
    contexts = []

    def opened(file: Path, address: str = "", **how: object) -> Page:
        contexts.append(browser.new_context(**{"viewport": WIDE, **how}))
        page = contexts[-1].new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda told: page.faults.append(told.text))
        page.on("request", lambda asked: page.faults.append(asked.url))
        page.on("dialog", lambda dialog: page.faults.append(dialog.message))
        page.goto(file.as_uri() + address)
        expect(page.locator("#count")).not_to_be_empty()
        return page

    yield opened
    for context in contexts:
        context.close()


def entries(page: Page) -> Locator:
    """The rows of the list that are drawn; filters have options too."""
    return page.get_by_role("listbox").get_by_role("option")


def count(page: Page, number: int, of: int = MANY) -> None:
    expect(page.locator("#count")).to_have_text(f"{number:,} of {of:,}")


def chosen(page: Page) -> str:
    return page.locator("[aria-selected=true] span").first.inner_text()


def test_ten_thousand_rows_are_there_and_few_are_drawn(show, trajectories) -> None:
    page = show(trajectories)
    count(page, MANY)
    assert 10 < entries(page).count() < 100
    assert entries(page).first.get_attribute("aria-setsize") == str(MANY)


def test_a_page_asks_for_nothing_but_itself_and_says_no_fault(show, trajectories) -> None:
    page = show(trajectories)
    page.keyboard.press("j")
    expect(page.locator("#detail")).to_contain_text("Round 1")
    assert page.faults == [trajectories.as_uri()]


def test_a_filter_leaves_what_has_its_value(show, trajectories) -> None:
    page = show(trajectories)
    page.get_by_label("Outcome").select_option(label="not solved (2,500)")
    count(page, MANY // 4)
    expect(entries(page).nth(1)).to_contain_text("p00004#0")


def test_a_search_finds_what_one_program_alone_holds(show, trajectories) -> None:
    page = show(trajectories)
    page.get_by_role("searchbox").fill("RETURN x + 7777")
    count(page, 1)
    expect(entries(page)).to_contain_text("p07777#0")


def test_a_search_and_a_filter_hold_together_and_clear_ends_both(show, trajectories) -> None:
    page = show(trajectories)
    page.get_by_label("Outcome").select_option(label="not solved (2,500)")
    page.get_by_role("searchbox").fill("p0000")
    count(page, 3)  # 0, 4 and 8
    page.get_by_role("button", name="Clear").click()
    count(page, MANY)


def test_a_search_that_finds_nothing_says_so(show, trajectories) -> None:
    page = show(trajectories)
    page.get_by_role("searchbox").fill("no program holds this")
    count(page, 0)
    expect(page.locator("#rows")).to_have_text("Nothing matches.")


def test_what_stands_in_a_search_is_no_pattern(show, trajectories) -> None:
    page = show(trajectories)
    page.get_by_role("searchbox").fill("f(17)")
    count(page, 1)


def test_keys_move_through_the_list(show, trajectories) -> None:
    page = show(trajectories)
    for key, name in (
        ("j", "p00001#0"), ("ArrowDown", "p00002#0"), ("k", "p00001#0"), ("ArrowUp", "p00000#0"),
        ("End", "p09999#0"), ("k", "p09998#0"), ("Home", "p00000#0"),
    ):  # fmt: skip
        page.keyboard.press(key)
        assert chosen(page) == name
        expect(page.locator("#detail h2")).to_have_text(name)


def test_slash_searches_and_escape_comes_back(show, trajectories) -> None:
    page = show(trajectories)
    page.keyboard.press("/")
    page.keyboard.type("p0123j")
    expect(page.get_by_role("searchbox")).to_have_value("p0123j")
    page.keyboard.press("Escape")
    count(page, MANY)
    page.keyboard.press("j")
    assert chosen(page) == "p00001#0"


def test_the_entry_that_the_address_names_is_open(show, trajectories) -> None:
    page = show(trajectories, "#p05000%230")
    expect(page.locator("#detail h2")).to_have_text("p05000#0")
    assert chosen(page) == "p05000#0"


def test_controls_have_names_that_a_screen_reader_tells(show, trajectories) -> None:
    page = show(trajectories)
    expect(page.get_by_role("searchbox", name="Search names and texts")).to_be_visible()
    expect(page.get_by_role("listbox", name="Trajectories")).to_be_visible()
    expect(page.get_by_role("article", name="Details")).to_be_visible()
    expect(page.get_by_role("combobox", name="Outcome")).to_be_visible()
    page.keyboard.press("j")
    active = page.get_by_role("listbox").get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").get_attribute("aria-selected") == "true"


def test_a_narrow_screen_shows_the_list_or_an_entry(show, trajectories) -> None:
    page = show(trajectories, viewport=NARROW)
    expect(page.locator("#detail")).to_be_hidden()
    entries(page).nth(2).click()
    expect(page.locator("#detail h2")).to_have_text("p00002#0")
    expect(page.locator("#list")).to_be_hidden()
    page.get_by_role("button", name="Back to the list").click()
    expect(page.locator("#list")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#list")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()


@pytest.mark.parametrize("viewport", [NARROW, WIDE])
def test_nothing_is_wider_than_the_screen(show, pairs, viewport) -> None:
    page = show(pairs, viewport=viewport)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#detail")).to_contain_text("Programs")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_a_page_is_dark_where_the_reader_wants_it(show, trajectories) -> None:
    shades = [
        show(trajectories, color_scheme=scheme).evaluate(
            "getComputedStyle(document.body).backgroundColor"
        )
        for scheme in ("light", "dark")
    ]
    assert shades == ["rgb(255, 255, 255)", "rgb(20, 24, 30)"]


def test_hostile_programs_are_shown_and_do_nothing(show, pairs) -> None:
    page = show(pairs)
    page.keyboard.press("End")
    expect(page.locator("#detail h2")).to_contain_text(HOSTILE)
    expect(page.locator("#detail pre")).to_have_text(HOSTILE)
    page.keyboard.press("/")
    page.keyboard.type("</script>")
    count(page, 2, of=2)
    assert page.evaluate("window.attacked") is None
    assert page.locator("img, iframe").count() == 0
    assert page.faults == [pairs.as_uri()]


def test_the_policy_stops_a_script_that_was_put_in_all_the_same(show, pairs) -> None:
    page = show(pairs)
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', \"<img src=x onerror='attacked = 1'>\");"
        "const added = document.createElement('script'); added.textContent = 'attacked = 2';"
        "document.body.append(added);"
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.attacked") is None
    assert any("Content Security Policy" in each for each in page.faults)


def test_d_minus_is_marked_beside_what_stands_in_its_place(show, pairs) -> None:
    page = show(pairs)
    for mark, lines in (("minus", ["wrong"]), ("plus", ["right", "more"])):
        cells = page.locator(f".lines td.{mark}:not(.sign)")
        expect(cells).to_have_text(lines)
    signs = page.locator(".lines td.sign.minus, .lines td.sign.plus")
    expect(signs).to_have_text(["-", "+", "+"])
    row = page.locator(".lines tr", has_text="wrong")
    expect(row).to_contain_text("right")


def test_lines_that_did_not_change_are_folded_and_can_be_unfolded(show, tmp_path) -> None:
    same = "\n".join(f"same {number}" for number in range(10))
    rows = [pair("a", f"{same}\nwrong", f"{same}\nright", [10], [10])]
    pl.DataFrame(rows, schema=tables.PAIRS).write_parquet(tmp_path / "pairs.parquet")
    write_pairs_page([tmp_path / "pairs.parquet"], [], tmp_path / "page.html", "P")
    page = show(tmp_path / "page.html")
    expect(page.locator(".lines")).to_contain_text("same 7")
    expect(page.locator(".lines")).not_to_contain_text("same 6")
    page.get_by_role("button", name="7 lines that did not change").click()
    expect(page.locator(".lines tbody tr")).to_have_count(11)


def test_a_narrow_screen_shows_both_programs_in_one_column(show, pairs) -> None:
    page = show(pairs, viewport=NARROW)
    page.keyboard.press("Enter")
    expect(page.locator(".lines td:not(.sign)")).to_have_text(
        ["same", "wrong", "right", "more", "end"]
    )


def test_won_and_lost_tasks_can_be_told_apart(show, tmp_path) -> None:
    passed = {"old": (True, False, True), "new": (False, True, True)}
    models = [
        ShownModel(name, [_answer(task, ok) for task, ok in zip("abc", each, strict=True)])
        for name, each in passed.items()
    ]
    write_comparison_page(*models, {"a": "Do a."}, tmp_path / "page.html", "Old and new")
    page = show(tmp_path / "page.html")
    expect(page.locator("#facts")).to_contain_text("1 won, 1 lost")
    page.get_by_label("Change").select_option(label="lost (1)")
    count(page, 1, of=3)
    entries(page).click()
    for told in ("Do a.", "f(1)", "passed", "wrong answer"):
        expect(page.locator("#detail")).to_contain_text(told)


def _answer(task: str, ok: bool) -> ShownAnswer:
    status = SampleStatus.PASS if ok else SampleStatus.FAIL
    verdict = "passed" if ok else "wrong_answer"
    call = "" if ok else "f(1)"
    return ShownAnswer(task, 0, Statuses(base=status), verdict, "", f"x = {ok}", call)


def test_the_asset_of_trajectories_names_its_page_which_opens(
    ui: UserInterface, deployment: LiveDeployment, codeflow: str, show
) -> None:
    ui.visit("/assets/debug_trajectories?view=partitions&partition=shard-1")
    file = deployment.root / "pages" / "debug_trajectories" / "shard-1.html"
    expect(ui.page.get_by_text(str(file), exact=True).first).to_be_visible()
    count(show(file), 8, of=8)
