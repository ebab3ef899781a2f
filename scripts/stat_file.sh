#!/usr/bin/env bash
# Shows what the ring knows about a file.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/ring.sh disable=SC1091
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/ring.sh"

parse_arguments " -f NAME [-p PORT] [-h HOST]
Shows size, version and checksum of the file NAME, and where its parts and their backups lie." "file" "$@"

name=$(wire_name "$FILE")
ask "FILE STAT $name"
