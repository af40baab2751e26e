#!/usr/bin/env bash
# Writes one lock per target from pyproject.toml. uv must know where the CPU build of torch lies:
# set UV_FIND_LINKS to a folder of wheels or UV_INDEX to PyTorch's CPU index.
set -euo pipefail
cd "$(dirname "$0")"
common=(--python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links
    --override overrides.txt --quiet)
uv pip compile ../pyproject.toml --extra cpu --extra dev "${common[@]}" \
    --override overrides-cpu.txt -o cpu.lock
uv pip compile ../pyproject.toml --extra gpu "${common[@]}" -o gpu.lock
