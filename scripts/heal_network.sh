#!/usr/bin/env bash
# Has the whole ring checked and healed.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/ring.sh disable=SC1091
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/ring.sh"

parse_arguments " [-p PORT] [-h HOST]
Has every node check its neighbour and start it again if it is dead. Returns when the whole
ring was checked, which may take a minute." "" "$@"

ask "NODE HEAL"
