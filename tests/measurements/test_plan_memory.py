"""Plans are near what runs hold on this CPU."""

import mmap
from collections.abc import Iterator
from pathlib import Path

import plan_memory
import pytest

PAGES = 64
SIZE = PAGES * mmap.PAGESIZE


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {shape: tmp_path_factory.mktemp("plan") for shape in plan_memory.SHAPES}
    for shape, folder in made.items():
        plan_memory.prepare(folder, plan_memory.SHAPES[shape])
    return made


@pytest.fixture
def mapped(tmp_path: Path) -> Iterator[mmap.mmap]:
    """A file of PAGES pages, mapped as safetensors maps one and read through once."""
    file = tmp_path / "weights"
    file.write_bytes(bytes(SIZE))
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY) as found:
        assert not sum(found[:])
        yield found


def test_pages_of_a_file_that_are_read_again_are_counted(mapped, tmp_path):
    plan_memory.forget_reads()
    assert plan_memory.read_of_files(tmp_path) == 0
    assert not sum(mapped[: SIZE // 4])
    assert plan_memory.read_of_files(tmp_path) == SIZE // 4


def test_pages_that_were_written_to_are_memory_of_the_process_and_not_of_the_file(mapped, tmp_path):
    mapped[:] = bytes(SIZE)
    assert plan_memory.read_of_files(tmp_path) == 0


def test_files_of_another_folder_are_not_counted(mapped, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    assert not sum(mapped[:])
    assert plan_memory.read_of_files(other) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"precision": "mixed_bfloat16", "gradient_checkpointing": True},
        {"adapters": True},
        {"precision": "bfloat16", "adapters": True},
        {"precision": "bfloat16", "adapters": True, "four_bits": True},
        {"precision": "bfloat16", "adapters": True, "shape": plan_memory.DEEP},
    ],
    ids=["float32", "mixed-checkpointed", "lora", "bfloat16-lora", "nf4", "deep-bfloat16-lora"],
)
def test_plan_is_within_its_bound_of_what_a_run_holds(folders, options):
    case = plan_memory.Case(**options)
    folder = folders[case.shape]
    held = plan_memory.held(folder, case)
    assert plan_memory.planned(folder, case) == pytest.approx(held, rel=0.15)


def test_a_whole_name_asks_for_that_case_alone():
    (case,) = plan_memory.named("bfloat16, adamw")
    assert case == plan_memory.Case("bfloat16")


def test_a_part_of_names_asks_for_every_case_that_has_it():
    asked = plan_memory.named("lora")
    assert asked == [case for case in plan_memory.CASES if case.adapters]
