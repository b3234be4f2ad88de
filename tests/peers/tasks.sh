#!/usr/bin/env -S tests/lib/daemon.py bash
# shellcheck shell=bash
# tasks: a worker written in shell. One redis-cli keeps the connection to which belongs what it has
# taken; it reads a request a line and writes replies without decoration.
set -eu

coproc CLI { exec redis-cli -p "$PORT"; }
say() { echo "$1" >&"${CLI[1]}"; }
hear() { read -r "$1" <&"${CLI[0]}"; }

ask() { redis-cli -p "$PORT" "$@"; }

ask QUERY words 1 three NOWAIT >/dev/null
ask QUERY words 2 seven NOWAIT >/dev/null

for _ in 1 2; do
    say "LISTEN words WAIT 5000"
    for field in queue id params attempt ttl; do hear "$field"; done
    # shellcheck disable=SC2154 # hear has set them
    say "RESULT $id ${#params}-$queue-$attempt"
    hear answer
    # shellcheck disable=SC2154
    [[ $answer == OK && $ttl -gt 0 ]]
done
say QUIT

[[ $(ask QUERY words 1 three) == 5-words-1 ]]
[[ $(ask QUERY words 2 seven) == 5-words-1 ]]
echo "1 passed, 0 failed"
