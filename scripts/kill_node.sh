#!/usr/bin/env bash
# Kills one node, to see the ring heal.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/ring.sh disable=SC1091
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/ring.sh"

parse_arguments " -p PORT [-h HOST]
Ends the node at PORT with SIGKILL, as a crash would, to see the ring heal. The node must run on
this machine and tell its pid." "" "$@"

pid=$(node_pid "$RING_HOST" "$RING_PORT")
kill -KILL "$pid"
printf 'Killed the node at port %s (pid %s).\n' "$RING_PORT" "$pid"
