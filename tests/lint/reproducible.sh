#!/bin/bash
# Two builds of the same sources in two folders give the same bytes, debug information included.
# usage: tests/lint/reproducible.sh
set -eu
cd "$(dirname "$0")/../.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

cp -r Makefile src lua conf tests "$copy/"
MAKEFLAGS='' make -s -j "${JOBS:-2}" all
(cd "$copy" && MAKEFLAGS='' make -s -j "${JOBS:-2}" all)
if ! cmp build/release/rallocd "$copy/build/release/rallocd"; then
    for part in $(cd build/release && ls lib/*.a src/main.o); do
        cmp -s "build/release/$part" "$copy/build/release/$part" || echo "differs: $part"
    done
    exit 1
fi
