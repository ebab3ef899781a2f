#!/usr/bin/env bash
# Deletes a file from the ring.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/ring.sh disable=SC1091
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/ring.sh"

parse_arguments " -f NAME [-p PORT] [-h HOST]
Deletes the file NAME from the ring." "file" "$@"

name=$(wire_name "$FILE")
ask "FILE DELETE $name"
