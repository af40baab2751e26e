#!/usr/bin/env bash
# Writes every lock: two for a machine (cpu, gpu), from pyproject.toml, and one for each image, which
# needs less (docker/Dockerfile). uv must know where the CPU build of torch lies: set UV_FIND_LINKS
# to a folder of wheels or UV_INDEX to PyTorch's CPU index.
set -euo pipefail
cd "$(dirname "$0")"
compile() {
    uv pip compile --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
        --no-emit-find-links --quiet "$@"
}
compile_cuda() {
    # Where the CPU build of torch is to be had, it would be chosen: its version sorts higher.
    (unset UV_FIND_LINKS UV_INDEX && compile "$@")
}
cpu=(--override overrides.txt --override overrides-cpu.txt)
cuda=(--override overrides.txt)

compile ../pyproject.toml --extra cpu --extra dev "${cpu[@]}" -o cpu.lock
compile_cuda ../pyproject.toml --extra gpu "${cuda[@]}" -o gpu.lock

# What environment `ray` adds to cpu.lock, at its versions.
mapfile -t locked < <(grep -oP '^[a-z0-9._-]+(?===)' cpu.lock)
compile ../pyproject.toml --extra cpu --extra dev --extra ray "${cpu[@]}" --constraint cpu.lock \
    "${locked[@]/#/--no-emit-package=}" -o ray.lock
# uv lists what it left out, after an empty line.
sed -i '/^$/,$d' ray.lock

# The images of one deployment talk to each other: all have the versions of the machine's locks.
compile services.in --constraint cpu.lock -o services.lock
compile code.in --constraint cpu.lock "${cuda[@]}" --override overrides-code.txt -o code.lock
compile worker.in worker-cpu.in --constraint cpu.lock "${cpu[@]}" -o worker-cpu.lock
compile_cuda worker.in worker-gpu.in --constraint gpu.lock "${cuda[@]}" -o worker-gpu.lock
compile bigcodebench.txt -o bigcodebench.lock
