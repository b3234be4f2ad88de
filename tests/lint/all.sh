#!/bin/bash
# Everything that `make lint` asks for; goes on after a failure, so that one run tells all.
# usage: tests/lint/all.sh <build folder> <make command>
set -u
cd "$(dirname "$0")/../.." || exit 1
out=$1
make=$2
jobs=${JOBS:-2}
failed=()

check() {
    local name=$1 began=$SECONDS
    shift
    echo "== $name"
    "$@" || failed+=("$name")
    ((SECONDS - began < 5)) || echo "   $((SECONDS - began)) s"
}

sources() {
    find src tests -name '*.[ch]' -print0
}

format() {
    sources | xargs -0 clang-format --dry-run -Werror
}

# shellcheck disable=SC2086 # the make command is several words
tidy() {
    $make -k tidy
}

# The daemon alone: what ck_assert() excludes in tests is unknown to it. Keeps what it found of each
# file in its folder, so a second run is quick.
static() {
    mkdir -p "$out/cppcheck"
    cppcheck --quiet --std=c11 --language=c -j "$jobs" --cppcheck-build-dir="$out/cppcheck" \
        --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --suppressions-list=tests/lint/cppcheck.txt \
        --library=posix -D_GNU_SOURCE -DRALLOCD_VERSION='""' -Isrc -I"$out/gen" src
}

shells() {
    shellcheck .ci/run tests/*.sh tests/*/*.sh
}

# shellcheck disable=SC2086
docs() {
    $make docs-check
}

check 'format (make format mends it)' format
check 'order of the house' tests/lint/arrows.sh
check 'the order is really checked' tests/lint/arrows-test.sh
check 'shell scripts' shells
check 'Lua scripts' luacheck --quiet lua
check 'systemd unit' tests/lint/unit.sh
check 'docs up to date (make docs mends it)' docs
check 'cppcheck' static
check 'clang-tidy' tidy
check 'two builds are the same' tests/lint/reproducible.sh

if ((${#failed[@]})); then
    printf 'lint failed: %s\n' "${failed[@]}"
    exit 1
fi
echo 'lint: nothing to say'
