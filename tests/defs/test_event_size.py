"""Events stay small however much an artifact holds, and nothing that is left out is hidden."""

import io
import json
import random
from pathlib import Path

import dagster as dg
import pytest

from iterpref_assets.core.artifacts import Artifact, ArtifactKey, ArtifactStore, Plan
from iterpref_assets.core.errors import InputError
from iterpref_assets.defs import metadata
from iterpref_assets.defs.event_size import FOR_METADATA, LARGEST_EVENT, within_an_event
from iterpref_assets.defs.offenders import check_result
from iterpref_assets.defs.plots import with_plots
from iterpref_assets.defs.resources import bad_input_as_failure
from iterpref_assets.steps.checkpoints import METRICS_FILE, SPEED_CURVE
from iterpref_assets.steps.findings import Findings, Offender

STEPS = 500


@pytest.fixture
def checkpoint(tmp_path: Path) -> Artifact:
    """One whose curves go up and down at every step."""
    draw = random.Random(0)
    names = [name for name in metadata.CURVES if name != "pairs_per_second"]
    rows = [{"step": step, **{name: draw.random() for name in names}} for step in range(STEPS)]
    store, key = ArtifactStore(tmp_path), ArtifactKey("checkpoints", "lab/dpo")
    with store.publishing(Plan(key, "1")) as staging:
        text = "\n".join(json.dumps(row) for row in rows)
        (staging.folder / METRICS_FILE).write_text(text)
        staging.figures[SPEED_CURVE] = [1.0] * STEPS
    return store.current(key)


def test_curves_are_thumbnails_and_whole_as_files(checkpoint: Artifact) -> None:
    shown = metadata.of_checkpoint(checkpoint)
    assert shown["curves"].value.count("data:image/png") == len(metadata.CURVES)
    assert len(dg.serialize_value(shown["curves"])) < FOR_METADATA
    folder = checkpoint.folder.with_name(f"{checkpoint.folder.name}.plots")
    assert str(folder) in shown["curves"].value
    assert {path.stem for path in folder.iterdir()} == set(metadata.CURVES)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in folder.iterdir())


def test_plots_beside_a_version_are_no_version(checkpoint: Artifact) -> None:
    store = ArtifactStore(checkpoint.folder.parents[4])
    metadata.of_checkpoint(checkpoint)
    assert store.partitions("checkpoints") == ("lab/dpo",)
    assert store.current(ArtifactKey("checkpoints", "lab/dpo")).folder == checkpoint.folder


def noise(width: int) -> bytes:
    """A figure that no compression makes small."""
    from PIL import Image

    found = io.BytesIO()
    pixels = random.Random(0).randbytes(width * width * 3)
    Image.frombytes("RGB", (width, width), pixels).save(found, "PNG")
    return found.getvalue()


def test_a_page_with_figures_shows_thumbnails_in_their_places(tmp_path: Path) -> None:
    store, key = ArtifactStore(tmp_path), ArtifactKey("experiment_reports", "lab")
    with store.publishing(Plan(key, "1")) as staging:
        for name in ("a", "b"):
            (staging.folder / f"{name}.png").write_bytes(noise(100))
        (staging.folder / "report.md").write_text("# One\n\n![A](a.png)\n\nthen ![B](b.png)\n")
    page = with_plots(store.current(key), "report.md").value
    assert page.startswith("# One\n\n![A](data:image/png;base64,")
    assert "then ![B](data:image/png;base64," in page


@pytest.mark.parametrize("count", [1, 11, 40])
def test_however_many_figures_a_page_shows_its_event_has_room_for_them(
    tmp_path: Path, count: int
) -> None:
    store, key, figure = ArtifactStore(tmp_path), ArtifactKey("reports", "lab"), noise(100)
    with store.publishing(Plan(key, "1")) as staging:
        for number in range(count):
            (staging.folder / f"{number}.png").write_bytes(figure)
        shown = "".join(f"![{number}]({number}.png)" for number in range(count))
        (staging.folder / "report.md").write_text(shown)
    page = with_plots(store.current(key), "report.md")
    assert page.value.count("data:image/png") == count
    assert len(dg.serialize_value(page)) < FOR_METADATA


def test_what_has_no_room_is_told_with_its_size_and_place() -> None:
    shown = within_an_event(
        {
            "curves": dg.MetadataValue.md("x" * 50_000),
            "upstream": dg.MetadataValue.json({f"a/{n}": "h" * 64 for n in range(2000)}),
            "rows": dg.MetadataValue.int(3),
        },
        "data/a",
    )
    assert list(shown) == ["curves", "upstream", "rows"]
    assert shown["curves"].value == "x" * 50_000
    assert shown["upstream"].value.endswith("KiB, too large to be shown here: see data/a")
    assert shown["rows"].value == 3
    assert sum(len(dg.serialize_value(each)) for each in shown.values()) < LARGEST_EVENT


LONG = "\u00e4" * 1_000_000
"""Six bytes a character, as Dagster writes them."""


def sizes(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> dict[str, int]:
    """Bytes of the largest event of a run, by type."""
    found: dict[str, int] = {}
    for event in instance.all_logs(result.run_id):
        kind = event.dagster_event_type.value if event.dagster_event_type else "log"
        found[kind] = max(found.get(kind, 0), len(dg.serialize_value(event).encode()))
    return found


def test_however_much_a_refusal_says_its_events_stay_small(instance) -> None:
    @dg.asset
    def refusing() -> None:
        with bad_input_as_failure():
            raise InputError(f"a problem like {LONG}", file="seeds.jsonl", remedy="Correct it")

    result = dg.materialize([refusing], instance=instance, raise_on_error=False)
    (event,) = result.get_step_failure_events()
    said = event.step_failure_data.user_failure_data.description
    assert said.startswith("seeds.jsonl: a problem like \u00e4\u00e4")
    assert said.endswith("Correct it")
    found = sizes(instance, result)
    assert {"STEP_FAILURE", "PIPELINE_FAILURE"} <= found.keys()
    assert max(found.values()) < LARGEST_EVENT


def test_however_much_a_check_finds_its_event_stays_small(instance) -> None:
    names = [f"{number:04}-{'n' * 240}" for number in range(200)]
    offenders = [
        Offender(name=name, reason=LONG, asset="seed_problems", partition=name) for name in names
    ]

    @dg.asset
    def checked() -> None: ...

    @dg.asset_check(asset=checked)
    def failing() -> dg.AssetCheckResult:
        findings = Findings.of({"problems": 1_000_000}, offenders)
        return check_result(lambda: findings, ArtifactStore(Path("none")), names)

    found = sizes(instance, dg.materialize([checked, failing], instance=instance))
    assert 10_000 < found["ASSET_CHECK_EVALUATION"] < LARGEST_EVENT


def test_what_fits_is_shown_as_it_is() -> None:
    given = {"config": dg.MetadataValue.json({"a": 1}), "path": dg.MetadataValue.path("p")}
    assert within_an_event(given, "p") == given
