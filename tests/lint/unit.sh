#!/bin/sh
# The systemd unit as systemd reads it, and how much it leaves open (of 10; less is better).
# Says nothing where systemd is not installed.
set -eu
cd "$(dirname "$0")/../.."
command -v systemd-analyze >/dev/null || exit 0
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# verify wants the program at its place; a root folder of our own has it without installing
unit=$root/rallocd.service
sed "s,^ExecStart=/usr/bin/rallocd,ExecStart=/bin/true," systemd/rallocd.service >"$unit"
systemd-analyze verify --man=no "$unit" >"$root/said" 2>&1 || failed=1
if [ -n "${failed:-}" ] || grep -q 'rallocd.service' "$root/said"; then
    cat "$root/said"
    exit 1
fi
systemd-analyze security --offline=true --threshold=20 --no-pager "$unit" >"$root/said" 2>&1 || {
    cat "$root/said"
    exit 1
}
