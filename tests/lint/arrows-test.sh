#!/bin/sh
# Does arrows.sh see what it is there for? A small house with one wrong arrow of each kind.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
house=$(mktemp -d)
trap 'rm -rf "$house"' EXIT
mkdir "$house/base" "$house/io" "$house/pool" "$house/lock" "$house/attic"
echo '#include "base/str.h"' >"$house/io/addr.h"

"$here/arrows.sh" "$house" >"$house/said" || {
    echo "a good house is refused:"
    cat "$house/said"
    exit 1
}

expect() { # <file> <include line> <what is said>
    printf '/* one */\n%s\n' "$2" >"$house/$1"
    if "$here/arrows.sh" "$house" >"$house/said"; then
        echo "not seen: $2 in $1"
        exit 1
    fi
    if ! grep -qF "src/$1:2: $3" "$house/said"; then
        echo "$2 in $1: expected '$3', was told:"
        cat "$house/said"
        exit 1
    fi
    rm "$house/$1"
}

expect base/up.c '#include "io/addr.h"' 'base includes "io/addr.h", which stands above it'
expect pool/side.c '#  include "lock/locks.h"' 'pool includes its neighbour "lock/locks.h"'
expect pool/daemon.c '#include "daemon.h"' 'pool includes "daemon.h", which stands above it'
expect io/near.h '#include "addr.h"' '"addr.h" is not named from src/'
expect attic/x.c '#include "base/str.h"' '"attic" has no place'
