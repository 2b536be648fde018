import { sh } from './sh';

/** Where the guard lives, what it knows of its pod, and the small tools that a shell alone does not have. */
export const ground = sh`
umask 022
set -f
nl='
'
cr=$(printf '\r')

# Whole numbers: "08" is no octal, and nothing else than digits is a number.
num() {
  n=$1
  case $n in '' | *[!0-9]*) n=0 ;; esac
  while [ "$n" != "\${n#0}" ] && [ "$n" != 0 ]; do n=\${n#0}; done
}

# The value of a variable of the container: PID 1 has them all, a session by SSH has none.
pid1() {
  value=$(tr '\000' '\n' <"\${RUNPOD_WORKSPACES_ENVIRON:-/proc/1/environ}" 2>/dev/null | while IFS= read -r line; do
    case $line in "$1="*) printf '%s\n' "\${line#*=}"; break ;; esac
  done)
}
exported() {
  value=
  [ -r /etc/rp_environment ] || return 0
  while IFS= read -r line; do
    case $line in "export $1=\""*\") value=\${line#*=\"}; value=\${value%\"} ;; esac
  done </etc/rp_environment
}

# Which pod this is, and its key. A key in a session's own environment may be somebody's account key, so it comes last.
identify() {
  pid1 RUNPOD_POD_ID
  if [ -n "$value" ]; then
    pod=$value
    pid1 RUNPOD_API_KEY
    key=$value
  else
    exported RUNPOD_POD_ID
    if [ -n "$value" ]; then
      pod=$value
      exported RUNPOD_API_KEY
      key=$value
    else
      pod=\${RUNPOD_POD_ID:-}
      key=\${RUNPOD_API_KEY:-}
    fi
  fi
  [ -z "$want_pod" ] || [ "$want_pod" = "$pod" ] || pod=
}

# What lies below here goes with the container; a network volume may hang, and a pod's disks may be full.
settle_down() {
  run=
  for base in "\${RUNPOD_WORKSPACES_RUN:-/tmp}" /dev/shm; do
    run=$base/.runpod-workspaces/$1/guard
    mkdir -p "$run/orders" 2>/dev/null && return 0
  done
  return 1
}

# Runs a command for at most so many seconds; its output lies in $run/out.
bounded() {
  left=$(($1 * 5))
  shift
  "$@" >"$run/out" 2>/dev/null </dev/null &
  bounded_pid=$!
  while [ $left -gt 0 ]; do
    kill -0 $bounded_pid 2>/dev/null || break
    sleep $fifth
    left=$((left - fifths))
  done
  if kill -0 $bounded_pid 2>/dev/null; then
    kill -9 $bounded_pid 2>/dev/null
    return 124
  fi
  wait $bounded_pid 2>/dev/null
}

# When a process that lives began, in ticks since the machine did; a number that comes again has another. One that has ended
# keeps its number until its parent asks for it, which the first process of many containers never does.
began_of() {
  began=
  { read -r stat </proc/$1/stat; } 2>/dev/null || return 1
  set -- \${stat##*) }
  case $1 in [ZX]) return 1 ;; esac
  began=\${20}
}

# Hundredths of a second since the machine began.
uptime_cs() {
  read -r up rest </proc/uptime
  num "\${up%.*}"
  whole=$n
  num "\${up#*.}"
  up=$((whole * 100 + n))
}

# Once a process holds lock.N and lives, it is the guard; over a dead one's lock goes lock.N+1, which only one can make.
guard_pid() {
  holder= last=0
  set +f
  for lock in "$run"/lock.*; do
    n=\${lock##*.}
    case $n in *[!0-9]*) continue ;; esac
    [ "$n" -gt $last ] && last=$n
  done
  set -f
  [ $last -gt 0 ] || return 1
  waits=0
  # Made a moment ago: its owner is about to sign.
  while [ ! -s "$run/lock.$last/owner" ] && [ $waits -lt 10 ]; do
    sleep $fifth
    waits=$((waits + fifths))
  done
  read -r holder owner_began <"$run/lock.$last/owner" 2>/dev/null || return 1
  began_of "$holder" && [ "$began" = "$owner_began" ]
}
take_lock() {
  while :; do
    guard_pid && return 1
    mkdir "$run/lock.$((last + 1))" 2>/dev/null || { [ -d "$run/lock.$((last + 1))" ] && continue; return 2; }
    began_of $$
    echo "$$ $began" >"$run/lock.$((last + 1))/owner"
    old=$last
    while [ $old -gt 0 ] && [ -d "$run/lock.$old" ]; do
      rm -rf "$run/lock.$old"
      old=$((old - 1))
    done
    return 0
  done
}
`;
