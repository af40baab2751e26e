"""A real browser before a real deployment; CodeFlow is made of recorded completions."""

import io
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from live_deployment import LiveDeployment
from PIL import Image
from places import ROOT
from playwright.sync_api import Browser, Page, expect, sync_playwright
from recorded import write_deployment
from user_interface import UserInterface

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WAIT_SECONDS = 120
COLOURS = 64
"""Of a screenshot: a third of its bytes, and nothing that a reader misses."""
HEAD = (
    {"x": 250, "y": 6, "width": 440, "height": 40},
    {"x": 555, "y": 165, "width": 440, "height": 55},
)
"""Where the page of a partition names its asset, and where the partition and its marks."""
SHORTEN = """places => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode())
        for (const [path, name] of Object.entries(places))
            walker.currentNode.data = walker.currentNode.data.replaceAll(path, name);
}"""
"""Screenshots show no path of the machine that they were taken on."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--screenshots FOLDER`: keep what the browser showed there."""
    parser.addoption("--screenshots", type=Path, help="keep screenshots in this folder")


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDeployment]:
    """A deployment where nothing has been materialized."""
    variables = write_deployment(tmp_path_factory.mktemp("recorded"))
    found = LiveDeployment(tmp_path_factory.mktemp("deployment"), variables)
    done = found.command("iterpref", "prepare")
    assert done.returncode == 0, done.stderr
    with found.serving():
        yield found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, with a profile of its own."""
    paths = [path for name in BROWSERS if (path := shutil.which(name))]
    assert paths, "needs a browser: apt-get install chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=paths[0], args=FLAGS)
        expect.set_options(timeout=WAIT_SECONDS * 1000)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def page(browser: Browser) -> Page:
    """A page for Dagster's UI."""
    opened = browser.new_page(viewport={"width": 1440, "height": 900})
    opened.set_default_timeout(WAIT_SECONDS * 1000)
    return opened


@pytest.fixture(scope="session")
def ui(page: Page, deployment: LiveDeployment) -> UserInterface:
    """The UI, after the dialog that Dagster shows on the first visit."""
    opened = UserInterface(page, deployment.url)
    opened.visit("/asset-groups")
    page.get_by_role("button", name="Skip").click()
    return opened


@pytest.fixture
def keep(
    page: Page, deployment: LiveDeployment, request: pytest.FixtureRequest
) -> Callable[[str], None]:
    """Keeps what the page shows under a name, where the command asks for screenshots."""
    folder: Path | None = request.config.getoption("--screenshots", default=None)
    places = {str(deployment.root): "data", str(Path(sys.prefix)): ".venv", str(ROOT): "."}

    def screenshot(name: str) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            page.evaluate(SHORTEN, places)
            shown = io.BytesIO(page.screenshot())
            with Image.open(shown) as opened:
                small = opened.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            small.save(folder / f"{name}.png", optimize=True)

    return screenshot


@pytest.fixture
def keep_heads(
    page: Page, request: pytest.FixtureRequest
) -> Iterator[Callable[[str, int, int], None]]:
    """Keeps the heads of several pages, each at its row and column of one picture."""
    folder: Path | None = request.config.getoption("--screenshots", default=None)
    pictures: dict[str, Image.Image] = {}

    def add(name: str, row: int, column: int) -> None:
        parts = [Image.open(io.BytesIO(page.screenshot(clip=part))) for part in HEAD]
        width, height = parts[0].width, sum(part.height for part in parts)
        size = ((column + 1) * width, (row + 1) * height)
        before = pictures.get(name, Image.new("RGB", size, "white"))
        larger = tuple(map(max, before.size, size))
        picture = pictures[name] = Image.new("RGB", larger, "white")
        picture.paste(before)
        for number, part in enumerate(parts):
            top = sum(each.height for each in parts[:number])
            picture.paste(part, (column * width, row * height + top))

    yield add
    for name, picture in pictures.items():
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            small = picture.quantize(COLOURS, dither=Image.Dither.NONE)
            small.save(folder / f"{name}.png", optimize=True)


@pytest.fixture(scope="session")
def heldout_run(ui: UserInterface) -> str:
    """The run that Materialize on the page of heldout_problems started; its status at the end."""
    ui.visit("/assets/heldout_problems")
    ui.press("Materialize")
    return ui.status_of_launched_run()


@pytest.fixture(scope="session")
def models_run(ui: UserInterface) -> str:
    """The run that Materialize on two assets selected in the lineage started; its status."""
    ui.visit_group("models")
    ui.page.get_by_text("lab_base_model", exact=True).first.click()
    ui.page.get_by_text("base_models", exact=True).first.click(modifiers=["Shift"])
    ui.press("Materialize selected (2)")
    ui.choose_all_partitions()
    ui.press("Launch 1 run")
    return ui.status_of_launched_run()


@pytest.fixture(scope="session")
def codeflow(ui: UserInterface, heldout_run: str, models_run: str) -> str:
    """The backfill of every shard that the page of the job build_codeflow launched; its status."""
    ui.visit(f"/locations/{ui.location}/jobs/build_codeflow")
    ui.press("Materialize all")
    ui.choose_all_partitions()
    ui.press("Launch backfill")
    return ui.status_of_launched_backfill()


@pytest.fixture
def edit_seed(deployment: LiveDeployment) -> Callable[[str], None]:
    """Changes the text of the first problem of a shard."""
    folder = Path(json.loads(deployment.environment["ITERPREF_SEEDS"])["folder"])

    def edit(shard: str) -> None:
        path = folder / f"{shard}.jsonl"
        first, *others = path.read_text().splitlines()
        problem = json.loads(first)
        problem["prompt"] = f"{problem['prompt']} Please."
        path.write_text("\n".join([json.dumps(problem), *others]) + "\n")

    return edit
