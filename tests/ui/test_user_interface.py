"""What a team does in the UI: look, materialize, backfill, read results and errors."""

from collections.abc import Callable

import pytest
from live_deployment import LiveDeployment
from playwright.sync_api import expect
from user_interface import UserInterface

from iterpref_assets.runner import load_definitions

TARGETED = """query Targeted($id: String!) {
  partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {
    assetSelection { path }
  } }
}"""
CANCEL = """mutation Cancel($id: String!) {
  cancelPartitionBackfill(backfillId: $id) { __typename }
}"""

pytestmark = [pytest.mark.ui, pytest.mark.timeout(900)]


def assets_by_group() -> dict[str, list[str]]:
    graph = load_definitions().resolve_asset_graph()
    groups: dict[str, list[str]] = {}
    for key in sorted(graph.get_all_asset_keys()):
        groups.setdefault(graph.get(key).group_name, []).append(key.to_user_string())
    return groups


def test_the_lineage_shows_every_group(ui: UserInterface, keep: Callable[[str], None]) -> None:
    ui.visit("/asset-groups")
    for group in assets_by_group():
        expect(ui.page.get_by_text(group, exact=True).first).to_be_visible()
    keep("lineage")


@pytest.mark.parametrize(("group", "assets"), assets_by_group().items())
def test_the_lineage_of_a_group_shows_its_assets(
    ui: UserInterface, group: str, assets: list[str]
) -> None:
    ui.visit_group(group)
    for asset in assets:
        expect(ui.page.get_by_text(asset, exact=True).first).to_be_visible()


def test_one_asset_is_materialized(heldout_run: str) -> None:
    assert heldout_run == "Success"


def test_a_selection_of_assets_is_materialized(models_run: str) -> None:
    assert models_run == "Success"


def test_a_backfill_of_a_job_is_launched_and_succeeds(codeflow: str) -> None:
    assert codeflow == "Succeeded"


def test_a_backfill_of_an_asset_is_launched_and_counts_its_partitions(
    ui: UserInterface, keep: Callable[[str], None], codeflow: str
) -> None:
    ui.visit("/assets/raw_seeds")
    ui.press("Materialize")
    ui.choose_all_partitions()
    keep("launch-backfill")
    ui.press("Launch backfill")
    assert ui.status_of_launched_backfill() == "Succeeded"
    expect(ui.page.get_by_text("100% completed")).to_be_visible()
    keep("backfill")


def test_the_lineage_says_how_much_is_made_and_what_passed(
    ui: UserInterface, keep: Callable[[str], None], codeflow: str
) -> None:
    ui.visit_group("preferences")
    expect(ui.page.get_by_text("100% filled").first).to_be_visible()
    expect(ui.page.get_by_text("3 / 3 Passed").first).to_be_visible()
    keep("lineage-preferences")


def test_the_partitions_of_an_asset_are_shown_as_made(
    ui: UserInterface, keep: Callable[[str], None], codeflow: str
) -> None:
    ui.visit("/assets/codeflow_pairs?view=partitions&partition=shard-1")
    expect(ui.page.get_by_text("Materialized (3)")).to_be_visible()
    expect(ui.page.get_by_text("Materialized", exact=True)).to_be_visible()
    expect(ui.page.get_by_text("filter_plot", exact=True)).to_be_visible()
    keep("partitions")


def test_the_result_of_a_check_is_shown(
    ui: UserInterface, keep: Callable[[str], None], codeflow: str
) -> None:
    ui.visit("/assets/codeflow_pairs?view=checks&checkDetail=chosen_passes_all_tests")
    expect(ui.page.get_by_text("Passed", exact=True).first).to_be_visible()
    expect(ui.page.get_by_text("blocking", exact=True).first).to_be_visible()
    keep("check")


def test_a_check_says_what_it_looked_at(ui: UserInterface, codeflow: str) -> None:
    ui.visit("/assets/codeflow_pairs?view=checks&checkDetail=chosen_passes_all_tests")
    said = "12 programs, 12 problems of shard-0, shard-1, shard-2"
    expect(ui.page.get_by_text(said)).to_be_visible()


def test_offenders_are_shown_with_a_link_to_where_they_are(
    ui: UserInterface, keep: Callable[[str], None], codeflow: str
) -> None:
    ui.visit("/assets/seed_problems?view=checks&checkDetail=every_benchmark_is_compared_with")
    row = ui.page.get_by_role("row").filter(has_text="first").last
    row.get_by_text("[Show Markdown]").click()
    link = ui.page.get_by_role("link", name="seed_problems/shard-0").first
    expect(link).to_be_visible()
    keep("offenders")
    ui.page.goto(link.get_attribute("href"))
    expect(ui.page.get_by_text("problems_by_kind").first).to_be_visible()


def test_an_asset_says_what_it_holds_and_where_its_code_is(
    ui: UserInterface, keep: Callable[[str], None], codeflow: str
) -> None:
    ui.visit("/assets/codeflow_pairs?view=overview")
    for text in ("y+: the version that passes", "made_when_parents_passed", "steps/pairs.py"):
        expect(ui.page.get_by_text(text).first).to_be_visible()
    expect(ui.page.get_by_text("Freshness policy").first).to_be_visible()
    keep("asset")


def test_figures_come_before_the_raw_config(ui: UserInterface, codeflow: str) -> None:
    ui.visit("/assets/codeflow_pairs?view=partitions&partition=shard-1")
    expect(ui.page.get_by_text("filter_plot", exact=True)).to_be_visible()
    plot, config = (
        ui.page.get_by_role("cell", name=name, exact=True).bounding_box()["y"]
        for name in ("filter_plot", "config")
    )
    assert plot < config


def test_the_launchpad_offers_each_override_with_its_help(
    ui: UserInterface, keep: Callable[[str], None]
) -> None:
    ui.visit("/assets/checkpoints")
    ui.open_launchpad()
    ui.write_config("ops:\n  checkpoints:\n    config:\n      l")
    expect(ui.page.get_by_text("Peak rate of AdamW").first).to_be_visible()
    keep("launchpad")


def test_the_pass_rate_is_plotted_beside_the_trajectories(
    ui: UserInterface, keep: Callable[[str], None], codeflow: str
) -> None:
    ui.visit("/assets/debug_trajectories?view=partitions&partition=shard-1")
    row = ui.page.get_by_role("row").filter(has_text="pass_rate_plot").last
    row.get_by_text("[Show Markdown]").click()
    plot = ui.page.locator("img[src^='data:image/png']")
    expect(plot).to_be_visible()
    assert plot.evaluate("image => image.naturalWidth") > 0
    keep("plot")


def test_the_table_of_pass_rates_holds_what_was_recorded(ui: UserInterface, codeflow: str) -> None:
    ui.visit("/assets/debug_trajectories?view=partitions&partition=shard-1")
    for rate in ("37.5%", "62.5%", "75.0%", "87.5%"):
        expect(ui.page.get_by_text(rate, exact=True).first).to_be_visible()


def test_the_message_of_a_failed_run_says_what_to_do(
    ui: UserInterface, keep: Callable[[str], None], codeflow: str
) -> None:
    ui.visit("/assets/experiment_reports")
    ui.press("Materialize")
    ui.press("Confirm")
    ui.choose_all_partitions()
    ui.press("Launch 1 run")
    assert ui.status_of_launched_run() == "Failure"
    message = ui.page.get_by_text("Materialize preference_pairs (partition lab) first").last
    expect(message).to_be_visible()
    keep("failed-run")


def test_schedules_and_sensors_are_listed_and_what_launches_runs_is_off(
    ui: UserInterface, keep: Callable[[str], None]
) -> None:
    ui.visit("/automation")
    for name in ("rebuild_codeflow", "new_seeds", "rebuild_downstream", "tell_about_failures"):
        expect(ui.page.get_by_text(name, exact=True).first).to_be_visible()
    # The one that is on, end_dead_runs, launches nothing.
    expect(ui.page.get_by_role("checkbox", checked=True)).to_have_count(1)
    assert ui.page.get_by_role("checkbox", checked=False).count() > 1
    keep("automation")


def test_an_edited_seed_makes_its_descendants_stale_and_no_other(
    ui: UserInterface,
    deployment: LiveDeployment,
    edit_seed: Callable[[str], None],
    keep_heads: Callable[[str, int, int], None],
    codeflow: str,
) -> None:
    """A change is seen one asset further each time: Dagster compares parents, not ancestors."""
    stale = ui.page.get_by_text("Unsynced (1)")
    edit_seed("shard-0")
    deployment.launch("raw_seeds", "shard-0")
    ui.visit("/assets/seed_problems?view=partitions&partition=shard-0")
    expect(stale).to_be_visible()
    deployment.launch("seed_problems", "shard-0...shard-2")
    for row, asset in enumerate(("initial_samples", "debug_trajectories", "codeflow_pairs")):
        for column, shard in enumerate(("shard-1", "shard-2"), 1):
            ui.visit(f"/assets/{asset}?view=partitions&partition={shard}")
            # Until it stands there, the page is still asking what is stale.
            expect(ui.page.get_by_text("Materialized", exact=True)).to_be_visible()
            expect(stale).to_have_count(0)
            keep_heads("stale", row, column)
        ui.visit(f"/assets/{asset}?view=partitions&partition=shard-0")
        expect(ui.page.get_by_text("Unsynced").first).to_be_visible()
        keep_heads("stale", row, 0)


def test_the_whole_graph_is_launched_by_materialize_all(
    ui: UserInterface, deployment: LiveDeployment, codeflow: str
) -> None:
    """Launched, and cancelled before nine recipes are trained."""
    ui.visit("/asset-groups")
    ui.press("Materialize all")
    ui.press("Launch backfill")
    backfill_id = ui.id_of_launched_backfill()
    targeted = deployment.ask(TARGETED, id=backfill_id)["partitionBackfillOrError"]
    deployment.ask(CANCEL, id=backfill_id)
    names = {"/".join(each["path"]) for each in targeted["assetSelection"]}
    assert names == {asset for assets in assets_by_group().values() for asset in assets}
