# shellcheck shell=bash
# What every script here shares: its options, one connection to the ring through netcat, and how
# to tell where an answer ends. Sourced by the scripts; needs bash 4.4 or later.
#
# A connection stays open after most answers, so a script stops at the line that ends the answer
# (OK… or ERR…) or after the counted bytes, and then ends netcat itself.
#
# Environment: OUROBOROS_NC names the netcat to use; OUROBOROS_TIMEOUT is how many seconds the
# ring may be silent before we give up (90: a heal may take 60).

# Names are bytes here: a pattern must not stumble over what is not UTF-8.
export LC_ALL=C

SCRIPT=${0##*/}
RING_HOST=127.0.0.1
RING_PORT=7000
FILE=
AS=
NETCAT_PID=

# Ends the script: status 1 when the ring is the reason, 2 when the arguments are.
fail() {
  printf '%s: %s\n' "$SCRIPT" "$1" >&2
  exit "${2:-1}"
}

# $! tells a process substitution since then.
((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)) || fail "needs bash 4.4 or later"

misused() {
  fail "$1 (see $SCRIPT --help)" 2
}

# parse_arguments USAGE TAKES ARGUMENT…: sets RING_HOST and RING_PORT and, when TAKES names them,
# FILE ("file", which is then required) and AS ("as").
parse_arguments() {
  local usage=$1 takes=$2 option
  shift 2
  while (($# > 0)); do
    option=$1
    shift
    # --port=7000 is --port 7000.
    if [[ $option == --*=* ]]; then
      set -- "${option#*=}" "$@"
      option=${option%%=*}
    fi
    case $option in
      --help) print_help "$usage" "$takes" && exit 0 ;;
      -p | --port | -h | --host) ;;
      -f | --file) [[ $takes == *file* ]] || misused "unknown option $option" ;;
      --as) [[ $takes == *as* ]] || misused "unknown option $option" ;;
      -*) misused "unknown option $option" ;;
      *) misused "unexpected argument '$option'" ;;
    esac
    (($# > 0)) || misused "$option needs a value"
    # shellcheck disable=SC2034 # AS is for push_file.sh
    case $option in
      -p | --port) RING_PORT=$1 ;;
      -h | --host) RING_HOST=$1 ;;
      -f | --file) FILE=$1 ;;
      --as) AS=$1 ;;
    esac
    shift
  done
  [[ $RING_PORT =~ ^[1-9][0-9]{0,4}$ && $RING_PORT -le 65535 ]] ||
    misused "--port must be 1 to 65535, not '$RING_PORT'"
  # Netcat would take a leading dash for an option of its own.
  [[ -n $RING_HOST && $RING_HOST != -* ]] || misused "--host cannot be '$RING_HOST'"
  [[ $takes != *file* || -n $FILE ]] || misused "--file is missing"
}

print_help() {
  printf 'Usage: %s%s\n\n' "$SCRIPT" "$1"
  [[ $2 != *file* ]] || printf '  -f, --file FILE   the file, or its name in the ring\n'
  [[ $2 != *as* ]] || printf '      --as NAME     the name in the ring (default: that of FILE)\n'
  printf '  -p, --port PORT   of a node or of the gateway (default 7000)\n'
  printf '  -h, --host HOST   where that is (default 127.0.0.1)\n'
  printf '      --help        show this\n\n'
  printf 'Exit code: 0 done, 1 refused, unreachable or incomplete, 2 wrong arguments.\n'
}

# wire_name NAME: the name as the ring keeps it. A line break in it would begin a new command, and
# an original node's list is searched for the name as it was kept.
wire_name() {
  local name=${1##*/}
  name=${name//[$'\\:|;\r\n']/_}
  [[ -n $name ]] || misused "'$1' names no file"
  printf '%s' "$name"
}

# Finds netcat and how its edition is told to wait. Where an edition can, it half-closes when we
# have sent everything, so that a push of a file that shrank meanwhile fails at once.
find_netcat() {
  local program=${OUROBOROS_NC:-} seconds=${OUROBOROS_TIMEOUT:-90} candidate about
  for candidate in nc ncat netcat; do
    [[ -n $program ]] || program=$(type -P "$candidate") || true
  done
  [[ -n $program ]] || fail "needs netcat (Debian: apt install netcat-openbsd)"
  about=$("$program" -h 2>&1 </dev/null) || true
  case $about in
    *Ncat*) NETCAT=("$program" -w "$seconds" -i "$seconds") ;;
    *Shutdown*) NETCAT=("$program" -N -w "$seconds") ;; # OpenBSD's
    *) NETCAT=("$program" -w "$seconds") ;; # the traditional one, GNU's
  esac
}

# ring_open LINE [FILE SIZE]: sends the line and the file's bytes; the answer is on descriptor 3.
ring_open() {
  find_netcat
  # exec makes the process that $! names netcat itself, which ring_close ends.
  exec 3< <(exec "${NETCAT[@]}" "$RING_HOST" "$RING_PORT" < <(send "$@"))
  NETCAT_PID=$!
}

ring_close() {
  [[ -n $NETCAT_PID ]] || return 0
  exec 3<&-
  # The traditional netcat says something on the milder signals.
  kill -KILL "$NETCAT_PID" 2>/dev/null || true
  wait "$NETCAT_PID" 2>/dev/null || true
  NETCAT_PID=
}
trap ring_close EXIT

send() {
  printf '%s\n' "$1"
  # Never more than announced: if the file grew meanwhile, its end would be read as commands.
  [[ -z ${2:-} ]] || take "$3" <"$2"
}

# Copies the next $1 bytes. BSD's head refuses to copy none.
take() {
  (($1 == 0)) || head -c "$1"
}

no_answer() {
  printf '%s: no answer from %s port %s\n' "$SCRIPT" "$RING_HOST" "$RING_PORT" >&2
  return 1
}

# first_line: the line that an answer begins with.
first_line() {
  local line
  IFS= read -r -u 3 line || [[ -n $line ]] || no_answer || return
  printf '%s\n' "$line"
}

# ask LINE [FILE SIZE]: the whole answer on stdout; an ERR line on stderr, and status 1.
ask() {
  local line status='' stored_locally=''
  ring_open "$@"
  # The last line may lack its line break.
  while [[ -z $status ]] && { IFS= read -r -u 3 line || [[ -n $line ]]; }; do
    case $line in
      ERR | ERR\ *)
        status=1
        printf '%s\n' "$line" >&2
        continue
        ;;
      OK | OK\ *) status=0 ;;
      # An original node that is alone in its ring may leave it at this.
      FILE\ *\ stored\ locally) stored_locally=1 ;;
    esac
    printf '%s\n' "$line"
  done
  ring_close
  [[ -n $status || -z $stored_locally ]] || status=0
  [[ -n $status ]] || no_answer || status=1
  return "$status"
}

# field KEY ANSWER: the value of the line "KEY: value", or "-".
field() {
  local line
  while IFS= read -r line; do
    [[ $line == "$1: "* ]] && printf '%s\n' "${line#"$1: "}" && return
  done <<<"$2"
  printf -- '-\n'
}

# A line "HOST PORT STATE" for every node that the netmap names (by port, or by host:port).
netmap() {
  local answer entry address host
  answer=$(ask "NETMAP GET") || return
  while IFS= read -r entry; do
    [[ $entry =~ ^((.+):)?([0-9]+)=([A-Za-z]+)$ ]] || continue
    host=${BASH_REMATCH[2]:-$RING_HOST} address=${BASH_REMATCH[3]}
    host=${host#[} host=${host%]}
    printf '%s %s %s\n' "$host" "$address" "${BASH_REMATCH[4]}"
  done <<<"$answer"
}

# node_info HOST PORT: the answer to NODE INFO, or the error in its place, and status 1. A node that
# was stopped says nothing; the others are worth seeing before long.
node_info() {
  local RING_HOST=$1 RING_PORT=$2 OUROBOROS_TIMEOUT=${OUROBOROS_TIMEOUT:-5}
  ask "NODE INFO" 2>&1
}

# node_pid HOST PORT: the pid that the node there tells, if it can only be that node's.
node_pid() {
  local info pid address command
  if ! info=$(node_info "$1" "$2"); then
    [[ $info != *"ERR unknown"* ]] ||
      fail "the node at port $2 is one of the original program, which does not tell its pid"
    fail "the node at port $2 does not tell its pid: $info"
  fi
  pid=$(field pid "$info")
  address=$(field address "$info")
  [[ $pid =~ ^[1-9][0-9]*$ && $pid -gt 1 ]] || fail "the node at port $2 does not tell its pid"
  [[ $1 == localhost || $1 == 127.* || $1 == ::1 ]] ||
    fail "pid $pid is a process of $1, not of this machine"
  # The gateway passes NODE INFO on, and it is not the one that was meant.
  [[ $address == - || ${address##*:} == "$2" ]] ||
    fail "port $2 is not a node's, but leads to the node $address"
  # A node behind a forwarded port (a container's) tells a pid that is somebody else's here.
  command=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" || ps -o args= -p "$pid" || true)
  [[ $command == *ouroboros* || $command == *main.ts* || $command == *"$2"* ]] ||
    fail "pid $pid is not a node of this machine"
  printf '%s\n' "$pid"
}
