#!/usr/bin/env bash
# Kills every node of the ring.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/ring.sh disable=SC1091
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/ring.sh"

parse_arguments " [-p PORT] [-h HOST]
Ends every node of the ring with SIGKILL, as a power cut would. The nodes must run on this
machine and tell their pids. A supervisor that still runs starts them again." "" "$@"

nodes=$(netmap)
pids=()
status=0
# All pids first: meanwhile the nodes that live would heal those that died.
while read -r host port state; do
  [[ $state == Alive ]] || continue
  if pid=$(node_pid "$host" "$port"); then
    pids+=("$pid")
  else
    status=1
  fi
done <<<"$nodes"

((${#pids[@]} > 0)) || fail "there is no node to kill"
kill -KILL "${pids[@]}"
printf 'Killed the nodes with the pids %s.\n' "${pids[*]}"
exit "$status"
