#!/usr/bin/env bash
# Makes the image NAME out of the packages that this machine's pip finds for the locks, so that a
# build needs neither an index nor its credentials: docker/wheels.sh NAME [PIP]
set -euo pipefail
cd "$(dirname "$0")/.."
name=$1 pip=${2:-pip}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fetch() {
    "$pip" download --quiet --no-deps --require-hashes --dest "$folder/wheels" "$@" \
        2> "$folder/errors" || { cat "$folder/errors" >&2; exit 1; }
}
fetch -r requirements/services.lock -r requirements/code.lock
fetch -r "requirements/worker-${DEVICE:-cpu}.lock"
fetch -r requirements/bigcodebench.lock
tar -C "$folder" -c wheels | docker import - "$name"
