#!/usr/bin/env bash
# What decision logs to a service cost: decisions over HTTP with and without them, in turns, in one run. Needs wrk.
#
#   tests/bench/decision-logs.sh
#
# ROUNDS (5) turns of SECONDS_EACH (5) each with CONNECTIONS (16); BUFFERS ("size event disk") are the kinds of buffer that are
# tried. AS_BUILT=1 takes what an earlier build left. Prints medians, the most memory that each agent had, and how many events
# the receiver has counted beside the answers that clients have got. Agents and receiver have the same cores as wrk.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${ROUNDS:-5} seconds=${SECONDS_EACH:-5} connections=${CONNECTIONS:-16} buffers=${BUFFERS:-size event disk}
command -v wrk >/dev/null || { echo "wrk is not installed: apt-get install wrk" >&2; exit 1; }
if [ -z "${AS_BUILT:-}" ]; then
    cargo build --quiet --release --locked --package regent
    cargo build --quiet --release --locked --package regent-kit --example counting_sink
fi
built=${CARGO_TARGET_DIR:-target}/release
work=$(mktemp -d)
declare -A agents=() sinks=() urls=()
trap 'kill "${agents[@]}" "${sinks[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

mkdir "$work/policy"
cp tests/bench/rbac.rego "$work/policy"
cat > "$work/policy/data.json" <<'JSON'
{"rbac_data": {"bindings": {"user777": ["role27", "role39"]}, "permissions": {
    "role27": [{"action": "read", "resource": "res27-4"}, {"action": "write", "resource": "res27-4"}],
    "role39": [{"action": "read", "resource": "res39-1"}]}}}
JSON
export ASK_INPUT='{"input":{"user":"user777","action":"write","resource":"res27-4"}}'

port=${PORT:-18500}
serve() { # NAME CONFIGURATION
    local name=$1
    port=$((port + 1))
    printf '%s\n' "$2" > "$work/$name.yaml"
    "$built/regent" run --server --addr "127.0.0.1:$port" --log-level error --config-file "$work/$name.yaml" "$work/policy" \
        > "$work/$name.log" 2>&1 &
    agents[$name]=$!
    urls[$name]="http://127.0.0.1:$port/v1/data/rbac/allow"
    for _ in $(seq 100); do
        curl -s -o "$work/answer" -d "$ASK_INPUT" "${urls[$name]}" && grep -q '"result": *true' "$work/answer" && return
        sleep 0.1
    done
    echo "$name does not answer:" >&2
    cat "$work/$name.log" >&2
    exit 1
}
serve none '{}'
for buffer in $buffers; do
    port=$((port + 1))
    "$built/examples/counting_sink" "127.0.0.1:$port" &
    sinks[$buffer]=$!
    # Enough room for the slowest receiver, so that nothing is dropped: what is measured is delivering everything.
    serve "$buffer" "{services: {sink: {url: 'http://127.0.0.1:$port'}}, decision_logs: {service: sink, reporting: {
        buffer_type: $buffer, min_delay_seconds: 1, max_delay_seconds: 2$(
        [ "$buffer" = event ] && echo ', buffer_size_limit_events: 1000000')$(
        [ "$buffer" = disk ] && echo ", disk_directory: $work/journal")}}}"
done

for round in $(seq "$rounds"); do
    for name in none $buffers; do
        wrk -t 2 -c "$connections" -d "$seconds" -s tests/bench/ask.lua "${urls[$name]}" |
            awk -v n="$name" '/^figures/ { print n, $2, $3, $4, $5, $6, $7 }' >> "$work/figures"
        # What still waits is delivered before another turn begins.
        sleep 4
    done
done

median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
column() { awk -v n="$1" -v f="$2" '$1 == n { print $f }' "$work/figures" | median; }
total() { awk -v n="$1" -v f="$2" '$1 == n { t += $f } END { printf "%d", t }' "$work/figures"; }
printf '| buffer | requests/s | of none | p50 us | p99 us | p99.9 us | errors | most memory kB | answers | events | distinct |\n'
printf '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n'
for name in none $buffers; do
    # Each turn is held against the turn without logs in the same round.
    ratio=$(awk -v n="$name" '$1 == "none" { without = $2 } $1 == n { print $2 / without * 100 }' "$work/figures" | median)
    memory=$(awk '/VmHWM/ { print $2 }' "/proc/${agents[$name]}/status")
    kill "${agents[$name]}"
    wait "${agents[$name]}" 2>/dev/null || true
    counted='– – –'
    if [ "$name" != none ]; then
        sink=$(tr '\0' ' ' < "/proc/${sinks[$name]}/cmdline" | awk '{ print $2 }')
        counted=$(curl -s "http://$sink/")
    fi
    read -r _ events distinct <<< "$counted"
    printf '| %s | %.0f | %.0f %% | %s | %s | %s | %s | %s | %s | %s | %s |\n' "$name" "$(column "$name" 2)" "$ratio" \
        "$(column "$name" 3)" "$(column "$name" 4)" "$(column "$name" 5)" "$(total "$name" 6)" "$memory" "$(total "$name" 7)" \
        "$events" "$distinct"
done
