#!/usr/bin/env bash
# Builds the images. From the environment:
#   DEVICE  cpu (default) or gpu (CUDA)
#   TAG     of the images, default latest
#   BASE    the image they start from, default Debian's
#   WHEELS  an image made by docker/wheels.sh, from which alone pip then installs
set -euo pipefail
cd "$(dirname "$0")/.."
arguments=(--network host --build-arg "DEVICE=${DEVICE:-cpu}")
[[ -z "${BASE:-}" ]] || arguments+=(--build-arg "BASE=$BASE")
[[ -z "${WHEELS:-}" ]] || arguments+=(--build-arg "WHEELS=$WHEELS" --build-arg PIP_NO_INDEX=1)
for target in services code worker sandbox; do
    docker build "${arguments[@]}" --file docker/Dockerfile --target "$target" \
        --tag "iterpref-$target:${TAG:-latest}" .
done
