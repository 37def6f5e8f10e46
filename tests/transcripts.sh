#!/usr/bin/env bash
# Replays recorded exchanges with OPA against the binary; the count of steps that pass must not fall.
# The recordings lie beside the project (or where REGENT_TRANSCRIPTS says); without them this says so and succeeds.
set -euo pipefail
cd "$(dirname "$0")/.."
transcripts=${REGENT_TRANSCRIPTS:-../shared/transcripts}
if [ ! -f "$transcripts/replay.py" ]; then
    echo "no transcripts at $transcripts: skipped"
    exit 0
fi
cargo build --quiet --locked --package regent
regent=${CARGO_TARGET_DIR:-target}/debug/regent
worst=0
while read -r tier floor; do
    # The replay ends with a failure while some steps fail; the count decides.
    summary=$(python3 "$transcripts/replay.py" --cmd "$regent run --server --addr {addr} --log-level error {args}" \
        --tier "$tier" "$transcripts" | tail -n 1) || true
    passed=${summary%% passed*}
    echo "$tier: $summary (at least $floor have to pass)"
    [ "$passed" -ge "$floor" ] || worst=1
done < tests/transcripts.floor
exit "$worst"
