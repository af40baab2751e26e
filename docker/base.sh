#!/usr/bin/env bash
# Makes the image NAME, a minimal Debian 12, where no registry can be reached: docker/base.sh NAME
# Needs root and debootstrap.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
debootstrap --variant=minbase bookworm "$folder/root" > "$folder/log" \
    || { tail "$folder/log" >&2; exit 1; }
rm -rf "$folder"/root/var/cache/apt/archives/*.deb "$folder"/root/var/lib/apt/lists/*
tar -C "$folder/root" -c . | docker import - "$1"
