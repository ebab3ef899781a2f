#!/usr/bin/env bash
# Shows the process of every node.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/ring.sh disable=SC1091
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/ring.sh"

parse_arguments " [-p PORT] [-h HOST]
Shows a table of the processes of the ring: port, pid, state, uptime, version." "" "$@"

nodes=$(netmap)
row='%-6s %-8s %-7s %-12s %s\n'
# shellcheck disable=SC2059 # one format for the heading and the rows
printf "$row" PORT PID STATE UPTIME VERSION
while read -r host port state; do
  pid=- uptime=- version=-
  if [[ $state == Alive ]]; then
    if info=$(node_info "$host" "$port"); then
      pid=$(field pid "$info")
      uptime=$(field uptime "$info")
      version=$(field version "$info")
    elif [[ $info == *"ERR unknown"* ]]; then
      version=original
    else
      state=silent
    fi
  fi
  # shellcheck disable=SC2059
  [[ -z $port ]] || printf "$row" "$port" "$pid" "$state" "$uptime" "$version"
done <<<"$nodes"
