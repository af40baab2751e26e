#!/usr/bin/env bash
# Runs every list of tests that make knows, in two lanes of about equal length beside one another.
# Those of Docker and Ray mostly wait for disks and daemons, so they are in the same one. A part that
# fails ends no other; all of them are told at the end.
# `make test-all` installs before: two installs at once would break .venv.
set -euo pipefail
cd "$(dirname "$0")/.."
logs=data/tests
rm -rf "$logs"
mkdir -p "$logs"

# What a part prints is kept until it has ended, so that the lanes' lines do not mix.
lane() {
    local part begun result failed=0
    trap 'exit 143' TERM
    for part; do
        begun=$SECONDS result=passed
        # Whatever was started in the background ignores INT, and so would all below it.
        env --default-signal=INT make --no-print-directory "$part" > "$logs/$part.log" 2>&1 \
            || result=FAILED failed=1
        printf '%-15s %s  %3d min %2d s\n' "$part" "$result" \
            $(((SECONDS - begun) / 60)) $(((SECONDS - begun) % 60)) >> "$logs/times"
        flock "$logs" cat - "$logs/$part.log" <<< "---- $part $result"
    done
    return "$failed"
}

# An interrupted pytest takes down what it started; its lane begins no other part.
stop() {
    for each in "${lanes[@]}"; do
        kill -TERM "$each" 2> /dev/null || true
        kill -INT -- "-$each" 2> /dev/null || true
    done
    wait
}

set -m # a process group for each lane, which can be interrupted
lanes=()
trap stop EXIT
trap 'exit 143' INT TERM
# The browser gives up what it loads when networks change, as containers change them: it comes
# first, and containers come last.
lane test-ray test-deepspeed test-docker < /dev/null &
lanes+=($!)
lane test-ui test-faults test < /dev/null &
lanes+=($!)
failed=0
for each in "${lanes[@]}"; do wait "$each" || failed=1; done
lanes=()
echo "---- all: $((SECONDS / 60)) min $((SECONDS % 60)) s"
cat "$logs/times"
exit "$failed"
