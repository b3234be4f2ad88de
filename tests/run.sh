#!/bin/bash
# Runs test programs side by side and counts what they tested.
# usage: tests/run.sh <build folder> <program> ...
#   JOBS      how many at a time (2)
#   SECONDS_EACH  the time that each may take (300)
#   WRAP      a command that C programs are run under, such as valgrind (none)
# A program is a libcheck one, or a script; a script counts as one test, or as many as its last line
# "N passed, N failed" says.
set -u
cd "$(dirname "$0")/.." || exit 1

# --- one program: a line about it, its output if it failed, its counts into a file ----------------
run_one() {
    local out=$1 program=$2
    local name=${program#"$out"/} && name=${name#tests/}
    local log=$out/test-logs/${name//\//-}.log
    local began ended status passed failed checks
    local -a command=("$program")
    [[ $program == "$out"/* && -n ${WRAP:-} ]] && read -ra command <<<"$WRAP $program"

    began=$(date +%s%N)
    timeout -k 10 "${SECONDS_EACH:-300}" "${command[@]}" >"$log" 2>&1 </dev/null
    status=$?
    ended=$(date +%s%N)

    # libcheck sums up each runner so: "95%: Checks: 20, Failures: 1, Errors: 0"
    read -r checks failed < <(awk '/^[0-9]+%: Checks: / {
        gsub(/,/, ""); checks += $3; failed += $5 + $7 } END { print checks + 0, failed + 0 }' "$log")
    passed=$((checks - failed))
    if ((checks == 0)); then
        read -r passed failed < <(awk '/^[0-9]+ passed, [0-9]+ failed$/ { p = $1; f = $3 }
            END { print p + 0, f + 0 }' "$log")
        ((status == 0 && passed + failed == 0)) && passed=1
    fi
    # whatever ended it early (a signal, a leak found at its end, the time limit) is a failure, too
    ((status != 0 && failed == 0)) && failed=1

    {
        flock 9
        local verdict=ok
        ((failed > 0)) && verdict=FAILED
        ((status == 124 || status == 137)) && verdict="FAILED (over ${SECONDS_EACH:-300} s)"
        printf '%7.1f s  %-44s %4d passed  %s\n' "$(((ended - began) / 100000000))e-1" "$name" \
            "$passed" "$verdict"
        if ((failed > 0)); then
            printf -- '--- %s: exit status %d; its output:\n' "$name" "$status"
            cat "$log"
            printf -- '--- end of %s\n' "$name"
        fi
        echo "$passed $failed" >>"$out/test-logs/counts"
    } 9>"$out/test-logs/lock"
}

if [[ ${1:-} == --one ]]; then
    run_one "$2" "$3"
    exit 0
fi

# --- all of them ----------------------------------------------------------------------------------
out=$1
shift
if (($# == 0)); then
    echo "no test program's path contains '${T:-}'"
    exit 1
fi
export LC_ALL=C.UTF-8
# What the programs start, and where they may build things.
export OUT=$out RALLOCD=$PWD/$out/rallocd
[[ $out == /* ]] && RALLOCD=$out/rallocd
# Time that a single test may take; each suite may set its own, which the factor stretches.
export CK_DEFAULT_TIMEOUT=${CK_DEFAULT_TIMEOUT:-60}
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

rm -rf "$out/test-logs"
mkdir -p "$out/test-logs"
printf '%s\0' "$@" | xargs -0 -P "${JOBS:-2}" -n 1 "$0" --one "$out"

awk '{ passed += $1; failed += $2 } END {
    printf "%d passed, %d failed\n", passed, failed; exit failed > 0 || passed == 0 }' \
    "$out/test-logs/counts"
