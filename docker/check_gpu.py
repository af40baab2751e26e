"""What a container of the CUDA image can import, load and compile, a line each (check_gpu.sh).

Everything here works without a card: kernels are compiled for an H100 and not started.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import triton
import triton.language as tl

# FlashInfer otherwise asks the card.
os.environ["FLASHINFER_CUDA_ARCH_LIST"] = "9.0a"

PACKAGES = Path(sys.prefix, "lib", f"python3.{sys.version_info.minor}", "site-packages")
WORKER = (
    "iterpref_assets.workers.__main__",
    "iterpref_assets.core.engines.vllm_backend",
    "iterpref_assets.core.training.trainer",
)
DRIVER = "libcuda.so.1"
"""What the container toolkit brings in from the host."""
PLUG_INS = (
    "torchcodec/",
    "nvidia/nvshmem/",
    "nvidia/cu13/lib/libcufile_rdma.so",
    "numba/np/ufunc/tbbpool.",
)
"""What reads videos, or a network or a thread pool other than this project's: not loaded here."""
MIB = 1 << 20


def imports() -> str:
    """Versions of what computes, and the worker's own modules imported."""
    names = ("torch", "triton", "vllm", "flashinfer")
    found = {name: importlib.import_module(name).__version__ for name in names}
    for name in WORKER:
        importlib.import_module(name)
    import torch

    told = ", ".join(f"{name} {version}" for name, version in found.items())
    return f"{told}, CUDA {torch.version.cuda}, {len(WORKER)} modules of the worker"


def shared_libraries() -> str:
    """No library asks for one that neither the image nor the driver has."""
    libraries = [path.relative_to(PACKAGES) for path in sorted(PACKAGES.rglob("*.so*"))]
    # Python loads the packages' own by their paths, before those that ask for them.
    there = {path.name for path in libraries} | {DRIVER}
    lacking: dict[str, Path] = {}
    for path in libraries:
        if str(path).startswith(PLUG_INS):
            continue
        told = subprocess.run(["ldd", PACKAGES / path], capture_output=True, text=True, check=False)
        for name in re.findall(r"^\s*(\S+) => not found", told.stdout, re.MULTILINE):
            if name not in there:
                lacking.setdefault(name, path)
    if lacking:
        raise RuntimeError(", ".join(f"{name} for {path}" for name, path in lacking.items()))
    return f"{len(libraries)} files"


def flashinfer_kernel() -> str:
    """FlashInfer compiles and links a module: nvcc, its headers, a C++ compiler, ninja."""
    from flashinfer.jit.sampling import gen_sampling_module

    module = gen_sampling_module()
    module.build()
    return f"{module.get_library_path().stat().st_size / MIB:.1f} MiB"


def triton_kernel() -> str:
    """Triton compiles a kernel by the assembler that it brings."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    source = ASTSource(_add_one, {"numbers": "*fp32", "size": "constexpr"}, {(1,): 128})
    made = triton.compile(source, target=GPUTarget("cuda", 90, 32))
    return f"{len(made.asm['cubin'])} bytes"


def triton_launcher() -> str:
    """Triton compiles the C by which it reaches the driver, against a stand-in for the driver."""
    from triton.backends.nvidia import driver
    from triton.runtime.build import _build

    with tempfile.TemporaryDirectory() as folder:
        stub = ["gcc", "-shared", "-o", f"{folder}/libcuda.so.1", "-x", "c", os.devnull]
        subprocess.run(stub, check=True)
        source = Path(driver.__file__).with_name("driver.c")
        made = _build(
            "cuda_utils", str(source), folder, [folder], driver.include_dirs, driver.libraries, []
        )
        return Path(made).name


def inductor() -> str:
    """torch.compile compiles C++."""
    import torch

    numbers = torch.arange(1000.0)
    doubled = torch.compile(torch.add)(numbers, numbers)
    if not doubled.equal(2 * numbers):
        raise RuntimeError("a wrong sum")
    return f"{len(numbers)} numbers"


def room() -> str:
    """What `/tmp` holds after all that, and what it and shared memory can hold."""
    used = sum(path.lstat().st_size for path in Path("/tmp").rglob("*"))
    sizes = (shutil.disk_usage(folder).total / MIB for folder in ("/tmp", "/dev/shm"))
    temporary, shared = sizes
    return f"{used / MIB:.0f} of {temporary:.0f} MiB in /tmp, {shared:.0f} MiB of shared memory"


@triton.jit
def _add_one(numbers: tl.tensor, size: tl.constexpr) -> None:
    at = numbers + tl.arange(0, size)
    tl.store(at, tl.load(at) + 1)


CHECKS: tuple[Callable[[], str], ...] = (
    imports, shared_libraries, flashinfer_kernel, triton_kernel, triton_launcher, inductor, room,
)  # fmt: skip


def main() -> int:
    """Make every check; the exit status says whether all of them passed."""
    failed = 0
    for check in CHECKS:
        started = time.monotonic()
        try:
            told = check()
        except Exception as error:  # noqa: BLE001 - the others are of use all the same
            failed += 1
            told = f"FAILED: {error}"
        seconds = time.monotonic() - started
        print(f"{check.__name__:18} {told} ({seconds:.0f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
