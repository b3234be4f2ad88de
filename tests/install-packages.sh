#!/bin/sh
# Installs what is missing of the packages that a purpose needs, on Debian and Ubuntu.
# usage: sh tests/install-packages.sh [run|test|lint|bench|fuzz ...]   (without a purpose: all)
#
# A package counts as there when what we use of it works, wherever it came from: Node.js of
# another source, say, holds npm and refuses Debian's. Nothing missing: no network, no root.
set -eu

# purposes | how to see that it is there | package
table='
run test lint bench fuzz | command -v make            | make
run test lint bench fuzz | command -v gcc             | gcc
run test lint bench fuzz | header stdio.h             | libc6-dev
run test lint bench fuzz | command -v pkg-config      | pkg-config
run test lint bench fuzz | library hiredis            | libhiredis-dev
run test lint bench fuzz | library libevent_extra     | libevent-dev
run test lint bench fuzz | library inih               | libinih-dev
run test lint bench fuzz | library libcrypto          | libssl-dev
run test lint bench fuzz | library zlib               | zlib1g-dev
run test bench           | command -v redis-server    | redis-server
run test bench           | command -v redis-cli       | redis-tools
bench                    | command -v beanstalkd      | beanstalkd
test lint fuzz           | library check              | check
test lint                | header lua5.1/lua.h        | liblua5.1-0-dev
test                     | /usr/bin/python3 -c pass   | python3
test                     | /usr/bin/python3 -c import_redis | python3-redis
test                     | command -v node            | nodejs
test                     | command -v npm             | npm
lint                     | command -v clang-format    | clang-format
lint                     | command -v clang-tidy      | clang-tidy
lint                     | command -v cppcheck        | cppcheck
lint                     | command -v luacheck        | lua-check
lint                     | command -v shellcheck      | shellcheck
valgrind                 | command -v valgrind        | valgrind
fuzz                     | command -v clang           | clang
fuzz                     | fuzzer                     | libclang-rt-dev
'

is_there() {
    # shellcheck disable=SC2086 # the words of the table
    case $1 in
    header\ *) printf '#include <%s>\n' "${1#header }" | cc -E -o /dev/null - ;;
    library\ *) pkg-config --exists "${1#library }" ;;
    *import_redis) /usr/bin/python3 -c 'import redis' ;;
    fuzzer) printf 'int LLVMFuzzerTestOneInput(char *a, long n){return !a+!n;}' |
        clang -w -fsanitize=fuzzer,address -x c -o /dev/null - ;;
    *) $1 ;;
    esac >/dev/null 2>&1
}

missing() {
    echo "$table" | while IFS='|' read -r purposes probe package; do
        [ -n "$package" ] || continue
        for purpose in $wanted; do
            case " $purposes " in
            *" $purpose "*)
                probe=$(echo "$probe" | xargs)
                is_there "$probe" || echo "$package"
                break
                ;;
            esac
        done
    done | xargs
}

wanted=${*:-run test lint bench fuzz valgrind}
packages=$(missing)
[ -n "$packages" ] || exit 0

echo "needed and not here: $packages"
if ! command -v apt-get >/dev/null; then
    echo "This is not Debian or Ubuntu (no apt-get): please install what these packages hold," \
        "by the names that your system gives them." >&2
    exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Neither root nor sudo. As root: apt-get install $packages" >&2
        exit 1
    fi
    as_root=sudo
fi

install() {
    # shellcheck disable=SC2086 # both are lists of words
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        $packages </dev/null
}

refresh() {
    $as_root apt-get update -q </dev/null
}

# A fresh image has no lists of packages; those of an old one name files that are gone.
set -- /var/lib/apt/lists/*_Packages*
[ -e "$1" ] || refresh
install || { refresh && install; } || {
    echo "apt-get could not install: $packages" >&2
    exit 1
}
left=$(missing)
if [ -n "$left" ]; then
    echo "installed, but still not usable: $left" >&2
    exit 1
fi
