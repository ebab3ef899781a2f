#!/usr/bin/env bash
# Fetches a file from the ring.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/ring.sh disable=SC1091
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/ring.sh"

parse_arguments " -f NAME [-p PORT] [-h HOST]
Writes the bytes of the file NAME to stdout. They are written as they arrive: whether they are all
there, and right, is what the exit code says." "file" "$@"

# Prints the SHA-256 of stdin, or nothing on a machine that has no tool for it. Openssl's is up to
# five times as fast as sha256sum, which a large file shows.
sha256() {
  if type -P openssl >/dev/null; then
    openssl dgst -sha256 -r
  elif type -P sha256sum >/dev/null; then
    sha256sum
  elif type -P shasum >/dev/null; then
    shasum -a 256
  else
    cat >/dev/null
  fi
}

# receive SIZE SHA256: passes that many bytes of the answer on to stdout and checks them on the
# way; an empty SHA256 is not compared.
receive() {
  local report
  report=$(
    {
      take "$1" <&3 | tee >(echo "bytes=$(wc -c)" >&5) >(echo "sha256=$(sha256)" >&5) >&4
    } 5>&1
  )
  [[ $report =~ bytes=\ *([0-9]+) && ${BASH_REMATCH[1]} -eq $1 ]] ||
    fail "'$name' is short: ${BASH_REMATCH[1]:-0} of $1 bytes came"
  [[ -z $2 || ! $report =~ sha256=([0-9a-f]{64}) || ${BASH_REMATCH[1]} == "$2" ]] ||
    fail "'$name' is damaged: its SHA-256 is ${BASH_REMATCH[1]}, not $2"
} 4>&1

# listed_size NAME: the size that FILE LIST tells.
listed_size() {
  local row field
  ring_open "FILE LIST"
  while IFS= read -r -u 3 row; do
    # name,start,size: a quoted name may hold commas, the other two cannot.
    field=${row%,*,*}
    if [[ $field == \"*\" ]]; then
      field=${field#\"} field=${field%\"} field=${field//\"\"/\"}
    fi
    # The heading has no number there.
    [[ $field == "$1" && ${row##*,} =~ ^[0-9]+$ ]] || continue
    ring_close
    printf '%s\n' "${row##*,}"
    return
  done
  ring_close
  printf 'ERR file not found\n' >&2
  return 1
}

name=$(wire_name "$FILE")
ring_open "FILE GET $name"
header=$(first_line)
if [[ $header =~ ^FILE\ ([0-9]+)\ [^\ ]*\ ([0-9a-f]{64})? ]]; then
  receive "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
elif [[ $header == "ERR unknown"* ]]; then
  # An original node: its answer to PULL has no size and no end but the connection's.
  ring_close
  size=$(listed_size "$name")
  ring_open "FILE PULL $name"
  receive "$size" ""
  [[ $(take 1 <&3 | wc -c) -eq 0 ]] || fail "'$name' is longer than its $size bytes"
else
  printf '%s\n' "$header" >&2
  exit 1
fi
