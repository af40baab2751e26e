"""What a person does in Dagster's UI, in a browser."""

import re
from contextlib import suppress

from playwright.sync_api import Error, Page, expect

RUN_ENDED = re.compile("^(Success|Failure|Canceled)$")
BACKFILL_ENDED = re.compile("^(Succeeded|Completed|Failed|Canceled)$")
ATTEMPTS = 12
MENU_WAIT_MS = 10_000


class UserInterface:
    """The UI at `url`, by what is written on it."""

    location = "iterpref"

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url

    def visit(self, path: str) -> None:
        """Open a page of the UI."""
        self.page.goto(self.url + path)

    def visit_group(self, group: str) -> None:
        """Open the lineage graph of a group of assets."""
        self.visit(f"/locations/{self.location}/asset-groups/{group}/lineage")

    def press(self, label: str) -> None:
        """Press the first button whose label holds this."""
        self.page.get_by_role("button", name=label).first.click()

    def open_launchpad(self) -> None:
        """Open the dialog that configures a run of the asset on the page."""
        self.page.get_by_role("button", name="Materialize").first.wait_for()
        arrow = self.page.locator('button:has([aria-label="arrow_drop_down"])').first
        entry = self.page.get_by_text("Open launchpad")
        # The page draws itself anew while it loads, and an open menu is gone then.
        for _ in range(ATTEMPTS):
            arrow.click()
            with suppress(Error):
                entry.click(timeout=MENU_WAIT_MS)
                break
        else:
            raise AssertionError(f"the menu held no launchpad in {ATTEMPTS} attempts")
        # Where a parent was never materialized the dialog asks first.
        asked = self.page.get_by_role("button", name="Confirm")
        asked.or_(self.page.locator(".CodeMirror")).first.click()

    def write_config(self, text: str) -> None:
        """Write the launchpad's config anew, and ask it for what may come next."""
        self.page.locator(".CodeMirror").first.click()
        self.page.keyboard.press("Control+A")
        # The editor indents new lines itself.
        self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Control+Space")

    def choose_all_partitions(self) -> None:
        """Press All in the dialog that launches a backfill."""
        self.page.get_by_role("button", name="All", exact=True).first.click()

    def status_of_launched_run(self) -> str:
        """Follow the link to the run that was just launched; its status once it has ended."""
        self.page.get_by_text("View", exact=True).last.click()
        self.page.wait_for_url(re.compile("/runs/"))
        status = self.page.get_by_text(RUN_ENDED).first
        expect(status).to_be_visible()
        return status.inner_text()

    def id_of_launched_backfill(self) -> str:
        """Follow the link to the backfill that was just launched; its id."""
        self.page.get_by_text("View", exact=True).last.click()
        self.page.wait_for_url(re.compile("/runs/b/"))
        return self.page.url.partition("/runs/b/")[2].partition("?")[0]

    def status_of_launched_backfill(self) -> str:
        """Follow the link to the backfill that was just launched; its status once it has ended."""
        self.page.get_by_text("View", exact=True).last.click()
        self.page.wait_for_url(re.compile("/runs/b/"))
        status = self.page.get_by_text("Status", exact=True).locator("xpath=following-sibling::*")
        expect(status).to_have_text(BACKFILL_ENDED)
        return status.inner_text()
