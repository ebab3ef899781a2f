#!/usr/bin/env bash
# Stores a file in the ring.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/ring.sh disable=SC1091
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/ring.sh"

parse_arguments " -f FILE [--as NAME] [-p PORT] [-h HOST]
Stores FILE in the ring; an earlier file of that name is replaced." "file as" "$@"

# The size goes ahead of the bytes, so a pipe will not do.
[[ -f $FILE && -r $FILE ]] || fail "cannot read '$FILE' as a regular file" 2
name=$(wire_name "${AS:-$FILE}")
size=$(wc -c <"$FILE")

ask "FILE PUSH $((size)) $name" "$FILE" "$((size))"
