#!/usr/bin/env bash
# Writes every lock from the lists in pyproject.toml: two for a machine (cpu, gpu), and one for each
# image, which needs fewer extras (docker/Dockerfile). uv must know where the CPU build of torch
# lies: set UV_FIND_LINKS to a folder of wheels or UV_INDEX to PyTorch's CPU index.
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
project=../pyproject.toml
machine=(--extra lab --extra docker --extra postgres)
cpu=(--override overrides.txt --override overrides-cpu.txt)
cuda=(--override overrides.txt)

compile $project "${machine[@]}" --extra cpu --extra dev "${cpu[@]}" -o cpu.lock
compile_cuda $project "${machine[@]}" --extra gpu "${cuda[@]}" -o gpu.lock

# What environment `ray` and DeepSpeed add to cpu.lock, at its versions.
mapfile -t locked < <(grep -oP '^[a-z0-9._-]+(?===)' cpu.lock)
for added in ray deepspeed; do
    compile $project "${machine[@]}" --extra cpu --extra dev --extra $added "${cpu[@]}" \
        --constraint cpu.lock "${locked[@]/#/--no-emit-package=}" -o $added.lock
    # uv lists what it left out, after an empty line.
    sed -i '/^$/,$d' $added.lock
done

# The images of one deployment talk to each other: all have the versions of the machine's locks.
# The webserver and the daemon load no code of this project: extras without what every part needs.
python3 extras.py dagster webserver docker postgres \
    | compile - --constraint cpu.lock -o services.lock
compile $project --extra dagster --extra docker --extra postgres --constraint cpu.lock \
    "${cuda[@]}" --override overrides-code.txt -o code.lock
compile $project --extra worker --extra tensorboard --extra cpu --constraint cpu.lock \
    "${cpu[@]}" -o worker-cpu.lock
compile_cuda $project --extra worker --extra tensorboard --extra gpu --constraint gpu.lock \
    "${cuda[@]}" -o worker-gpu.lock
compile bigcodebench.txt -o bigcodebench.lock
