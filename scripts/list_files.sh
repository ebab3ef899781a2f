#!/usr/bin/env bash
# Lists the files in the ring.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/ring.sh disable=SC1091
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/ring.sh"

parse_arguments " [-p PORT] [-h HOST]
Lists the files in the ring as CSV: name, the port of the node with the first part, size." "" "$@"

# The answer has no last line of its own: it ends where the node closes the connection.
ring_open "FILE LIST"
header=$(first_line)
if [[ $header == ERR* ]]; then
  printf '%s\n' "$header" >&2
  exit 1
fi
printf '%s\n' "$header"
cat <&3
