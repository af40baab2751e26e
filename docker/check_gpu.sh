#!/usr/bin/env bash
# Tells what the CUDA image can do in a container such as workers get, a line each:
# docker/check_gpu.sh [IMAGE]. It needs no card, and makes no use of one.
set -euo pipefail
cd "$(dirname "$0")"
# As iterpref_assets/workers/containers.py and defs/launching.py start them.
exec docker run --rm --init --user 1000 --network none --read-only --cap-drop ALL \
    --security-opt no-new-privileges --pids-limit 4096 --shm-size 1g \
    --tmpfs /tmp:size=2g,exec --env HOME=/tmp --env HF_HUB_OFFLINE=1 \
    --volume "$PWD/check_gpu.py:/check_gpu.py:ro" \
    "${1:-iterpref-worker}" python /check_gpu.py
