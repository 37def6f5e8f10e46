#!/usr/bin/env bash
# Decisions over HTTP beside a server that does nothing else than HTTP, in turns, in one run. Needs wrk.
#
#   tests/bench/server.sh [NAME=BINARY ...]     further agents that understand `run --server --addr ADDRESS FILES`
#
# ROUNDS (5) turns of SECONDS_EACH (5) each, for every number of connections in CONNECTIONS (1 16 256). AS_BUILT=1 takes what an
# earlier build left. Prints the medians; on a machine that does other work only the ratios mean anything. Every server that is
# asked has the same cores as wrk.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${ROUNDS:-5} seconds=${SECONDS_EACH:-5} connections=${CONNECTIONS:-1 16 256}
command -v wrk >/dev/null || { echo "wrk is not installed: apt-get install wrk" >&2; exit 1; }

if [ -z "${AS_BUILT:-}" ]; then
    cargo build --quiet --release --locked --package regent
    cargo build --quiet --release --locked --package regent-rest-api --example bare_server
fi
built=${CARGO_TARGET_DIR:-target}/release
work=$(mktemp -d)
started=()
trap 'kill "${started[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

# Roles and permissions: 1,000 users, 50 roles of 10 permissions each.
cp tests/bench/rbac.rego "$work"
awk 'BEGIN {
    printf "{\"rbac_data\":{\"bindings\":{"
    for (i = 0; i < 1000; i++) printf "%s\"user%d\":[\"role%d\",\"role%d\"]", (i ? "," : ""), i, i % 50, i * 7 % 50
    printf "},\"permissions\":{"
    for (r = 0; r < 50; r++) {
        printf "%s\"role%d\":[", (r ? "," : ""), r
        for (k = 0; k < 5; k++)
            printf "%s{\"action\":\"read\",\"resource\":\"res%d-%d\"},{\"action\":\"write\",\"resource\":\"res%d-%d\"}",
                (k ? "," : ""), r, k, r, k
        printf "]"
    }
    printf "}}}"
}' > "$work/data.json"
export ASK_INPUT='{"input":{"user":"user777","action":"write","resource":"res27-4"}}'

names=() urls=()
port=${PORT:-18300}
serve() { # NAME COMMAND... with {} for the address
    local name=$1; shift
    port=$((port + 1))
    "${@//\{\}/127.0.0.1:$port}" > "$work/$name.log" 2>&1 &
    started+=($!)
    names+=("$name") urls+=("http://127.0.0.1:$port/v1/data/rbac/allow")
    for _ in $(seq 100); do
        curl -s -o "$work/answer" -d "$ASK_INPUT" "${urls[-1]}" && break
        sleep 0.1
    done
    grep -q '"result": *true' "$work/answer" || { echo "$name does not answer:" >&2; cat "$work/$name.log" >&2; exit 1; }
}
serve hyper "$built/examples/bare_server" {}
serve regent "$built/regent" run --server --addr {} --log-level error "$work/rbac.rego" "$work/data.json"
for peer in "$@"; do
    serve "${peer%%=*}" "${peer#*=}" run --server --addr {} --log-level error "$work/rbac.rego" "$work/data.json"
done

for count in $connections; do
    for round in $(seq "$rounds"); do
        for i in "${!names[@]}"; do
            threads=$((count < 2 ? 1 : 2))
            wrk -t "$threads" -c "$count" -d "$seconds" -s tests/bench/ask.lua "${urls[$i]}" |
                awk -v c="$count" -v n="${names[$i]}" '/^figures/ { print c, n, $2, $3, $4, $5, $6 }' >> "$work/figures"
        done
    done
done

median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
column() { awk -v c="$1" -v n="$2" -v f="$3" '$1 == c && $2 == n { print $f }' "$work/figures" | median; }
printf '| connections | server | requests/s | of hyper | p50 us | p99 us | p99.9 us | errors |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n'
for count in $connections; do
    for name in "${names[@]}"; do
        # Each turn is held against the turn of hyper in the same round.
        ratio=$(awk -v c="$count" -v n="$name" '$1 == c && $2 == "hyper" { h = $3 } $1 == c && $2 == n { print $3 / h }' \
            "$work/figures" | median)
        errors=$(awk -v c="$count" -v n="$name" '$1 == c && $2 == n { e += $7 } END { print e }' "$work/figures")
        printf '| %s | %s | %.0f | %.0f %% | %s | %s | %s | %s |\n' "$count" "$name" "$(column "$count" "$name" 3)" \
            "$(awk -v r="$ratio" 'BEGIN { print r * 100 }')" "$(column "$count" "$name" 4)" \
            "$(column "$count" "$name" 5)" "$(column "$count" "$name" 6)" "$errors"
    done
done
for i in "${!names[@]}"; do
    printf '%s: %s kB resident\n' "${names[$i]}" "$(awk '/VmRSS/ { print $2 }' "/proc/${started[$i]}/status")"
done
