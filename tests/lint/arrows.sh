#!/bin/sh
# The order of the house: a folder of src/ includes only folders below it, never a neighbour of its
# own rank. Prints file:line for each arrow that points up or sideways.
# usage: tests/lint/arrows.sh [source folder]
set -eu
cd "${1:-"$(dirname "$0")/../../src"}"

# rank by rank, from the left; a word with a dot is a file, the others are folders
order='main.c tools
server http run
commands
report
daemon.h
jobs
pool lock task
ops
redis
resp
io
config
base'

find . -name '*.[ch]' | LC_ALL=C sort | xargs grep -Hn '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' |
    awk -v order="$order" '
    BEGIN {
        ranks = split(order, lines, "\n")
        for (i = 1; i <= ranks; i++) {
            count = split(lines[i], names, " ")
            for (j = 1; j <= count; j++)
                rank[names[j]] = i
        }
    }
    function room(path) { # the folder that a path begins with, or the file at the top
        sub(/^\.\//, "", path)
        sub(/\/.*/, "", path)
        return path
    }
    function complain(why) {
        printf "src/%s:%s: %s\n", file, line, why
        failed = 1
    }
    {
        file = $0; sub(/:.*/, "", file)
        line = substr($0, length(file) + 2); sub(/:.*/, "", line)
        sub(/^\.\//, "", file)
        included = $0; sub(/^[^"]*"/, "", included); sub(/".*/, "", included)
        from = room(file); to = room(included)
        arrows++
        if (!(from in rank))
            complain("\"" from "\" has no place in the order of the house")
        else if (!(to in rank))
            complain("\"" included "\" is not named from src/, or has no place in the order")
        else if (from != to && rank[to] == rank[from])
            complain(from " includes its neighbour \"" included "\"")
        else if (rank[to] < rank[from])
            complain(from " includes \"" included "\", which stands above it")
    }
    END {
        if (arrows == 0) { print "no include lines found"; failed = 1 }
        exit failed
    }'
