#!/usr/bin/env bash
# Agents against a control plane that comes and goes, under load; see tests/kit/examples/soak.rs for what fails the run.
#
#   tests/soak.sh [SECONDS [AGENTS]]     300 and 3 unless given
#
# AS_BUILT=1 takes what an earlier build left; PROFILE=debug takes, and builds, a build without optimisation.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${PROFILE:-release}
if [ -z "${AS_BUILT:-}" ]; then
    flags=(--quiet --locked)
    [ "$profile" = debug ] || flags+=(--release)
    cargo build "${flags[@]}" --package regent
    cargo build "${flags[@]}" --package regent-kit --example soak
fi
built=${CARGO_TARGET_DIR:-target}/$profile
exec "$built/examples/soak" "$built/regent" "${1:-300}" "${2:-3}"
