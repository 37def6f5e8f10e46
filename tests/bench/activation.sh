#!/usr/bin/env bash
# Latency of decisions while a large bundle becomes active again and again, beside the same agent at rest. Needs wrk, python3, tar.
#
#   tests/bench/activation.sh
#
# ROUNDS (3) turns of SECONDS_EACH (15) each; the bundle, of about MEGABYTES (21) of JSON, is fetched anew every 3 s. AS_BUILT=1
# takes what an earlier build left. Prints medians of the latencies, and the most memory that the agent had.
#
# Each connection pauses between its requests, for 0 to ASK_PAUSE (1) milliseconds, so that 16 of them ask less than the agent
# could answer. Without pauses (ASK_PAUSE=) the cores are full, wrk itself waits for the threads of the agent, and the
# 99th percentile tells for how long the system lets one thread run before another (3 ms) rather than what the agent takes.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${ROUNDS:-3} seconds=${SECONDS_EACH:-15} megabytes=${MEGABYTES:-21} connections=${CONNECTIONS:-16}
command -v wrk >/dev/null || { echo "wrk is not installed: apt-get install wrk" >&2; exit 1; }
[ -n "${AS_BUILT:-}" ] || cargo build --quiet --release --locked --package regent
regent=${CARGO_TARGET_DIR:-target}/release/regent
work=$(mktemp -d)
started=()
trap 'kill "${started[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

mkdir "$work/bundle"
cp tests/bench/rbac.rego "$work/bundle"
awk -v lines=$((megabytes * 10000)) 'BEGIN {
    printf "{\"rbac_data\":{\"bindings\":{\"user777\":[\"role27\"]},\"permissions\":{\"role27\":[{\"action\":\"write\",\"resource\":\"res27-4\"}]}},\"ballast\":["
    for (i = 0; i < lines; i++)
        printf "%s{\"id\":%d,\"name\":\"name of entry %d\",\"tags\":[\"a%d\",\"b%d\"],\"owner\":{\"team\":\"t%d\",\"level\":%d}}",
            (i ? "," : ""), i, i, i % 97, i % 89, i % 31, i % 7
    printf "]}"
}' > "$work/bundle/data.json"
tar --create --gzip --file "$work/bundle.tar.gz" --directory "$work/bundle" .
export ASK_PAUSE=${ASK_PAUSE-1}
export ASK_INPUT='{"input":{"user":"user777","action":"write","resource":"res27-4"}}'

port=${PORT:-18400}
python3 -m http.server --bind 127.0.0.1 --directory "$work" "$port" > "$work/http.log" 2>&1 &
started+=($!)
serve() { # NAME PORT SECONDS_BETWEEN_FETCHES
    cat > "$work/$1.yaml" <<YAML
services: {here: {url: "http://127.0.0.1:$port"}}
bundles: {big: {service: here, resource: bundle.tar.gz, polling: {min_delay_seconds: $3, max_delay_seconds: $3}}}
YAML
    "$regent" run --server --addr "127.0.0.1:$2" --log-level error --config-file "$work/$1.yaml" > "$work/$1.log" 2>&1 &
    started+=($!)
    for _ in $(seq 300); do
        curl -s -o "$work/answer" -d "$ASK_INPUT" "http://127.0.0.1:$2/v1/data/rbac/allow" || true
        grep -q '"result": *true' "$work/answer" 2>/dev/null && return
        sleep 0.1
    done
    echo "$1 does not answer:" >&2
    cat "$work/$1.log" >&2
    exit 1
}
# One after the other, so that neither takes the other's processor.
turn() { # NAME SECONDS_BETWEEN_FETCHES
    port=$port serve "$1" $((port + 1)) "$2"
    for _ in $(seq "$rounds"); do
        wrk -t 2 -c "$connections" -d "$seconds" -s tests/bench/ask.lua "http://127.0.0.1:$((port + 1))/v1/data/rbac/allow" |
            awk -v n="$1" '/^figures/ { print n, $2, $3, $4, $5, $6 }' >> "$work/figures"
    done
    awk -v n="$1" '/VmHWM/ { print n, $2 }' "/proc/${started[-1]}/status" >> "$work/memory"
    kill "${started[-1]}"
    wait "${started[-1]}" 2>/dev/null || true
    unset 'started[-1]'
}
turn quiet 3600
turn activating 3

median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
column() { awk -v n="$1" -v f="$2" '$1 == n { print $f }' "$work/figures" | median; }
printf '| agent | requests/s | p50 us | p99 us | p99.9 us | errors | most memory kB |\n| --- | --- | --- | --- | --- | --- | --- |\n'
for name in quiet activating; do
    printf '| %s | %.0f | %s | %s | %s | %s | %s |\n' "$name" "$(column "$name" 2)" "$(column "$name" 3)" "$(column "$name" 4)" \
        "$(column "$name" 5)" "$(awk -v n="$name" '$1 == n { e += $6 } END { print e }' "$work/figures")" \
        "$(awk -v n="$name" '$1 == n { print $2 }' "$work/memory")"
done
