#!/usr/bin/env bash
# Shows the state of every node.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/ring.sh disable=SC1091
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/ring.sh"

parse_arguments " [-p PORT] [-h HOST]
Shows every node of the ring and whether it is Alive or Dead." "" "$@"

ask "NETMAP GET"
