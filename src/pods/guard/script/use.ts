import { sh } from './sh';

/**
 * Whether anybody or anything uses the pod. Cheap questions first; the file system is never walked. What cannot be read counts
 * as use: a pod is not stopped for want of knowledge.
 */
export const use = sh`
last_use=0 sampled=0 cpu_cs=0 cpu_last= net_last= used_last= tty_last=

# CPU of this container so far, in hundredths of a second.
cpu_time() {
  cpu_cs= cgroup=\${RUNPOD_WORKSPACES_CGROUP:-/sys/fs/cgroup}
  if [ -r $cgroup/cpu.stat ]; then
    while read -r name value; do
      [ "$name" = usage_usec ] && cpu_cs=$((value / 10000))
    done <$cgroup/cpu.stat
  fi
  for file in $cgroup/cpuacct/cpuacct.usage $cgroup/cpu,cpuacct/cpuacct.usage; do
    if [ -z "$cpu_cs" ] && [ -r $file ]; then
      read -r value <$file
      cpu_cs=$((value / 10000000))
    fi
  done
  [ -z "$cpu_cs" ] || return 0
  # No accounting to be seen: the processes of the container one by one (what has ended is missing).
  [ -r /proc/$$/stat ] || return 1
  cpu_cs=0
  set +f
  set -- /proc/[0-9]*/stat
  set -f
  for file; do
    { read -r stat <$file; } 2>/dev/null || continue
    stat=\${stat##*) }
    fields=$stat
    i=11
    while [ $i -gt 0 ]; do fields=\${fields#* } i=$((i - 1)); done
    set -- $fields
    # Its own time and that of the children it has waited for.
    cpu_cs=$((cpu_cs + $1 + $2 + $3 + $4))
  done
}

net_bytes() {
  net_bytes=0
  [ -r /proc/net/dev ] || return 1
  while IFS=':' read -r device counts; do
    device=\${device##* }
    case $device in lo | *\|*) continue ;; esac
    [ -n "$counts" ] || continue
    set -- $counts
    net_bytes=$((net_bytes + $1 + $9))
  done </proc/net/dev
}

# A run of ours that lives: its process is there, and is the one that was started.
run_alive() {
  set +f
  for file in "$1"/*/pid; do
    [ -f "$file" ] && [ ! -f "\${file%/pid}/exit" ] || continue
    read -r run_pid run_began rest <"$file" || [ -n "$run_pid" ] || continue
    case $run_pid in '' | *[!0-9]*) continue ;; esac
    kill -0 "$run_pid" 2>/dev/null || continue
    case $run_began in *[!0-9]* | '') echo alive && return 0 ;; esac
    began_of "$run_pid"
    [ "$began" = "$run_began" ] && echo alive && return 0
  done
  return 0
}

# The busiest GPU in percent; nothing where there is none.
gpu_load() {
  gpu=
  if command -v nvidia-smi >/dev/null 2>&1; then
    bounded 20 nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits
    case $? in 124) gpu=unknown && return 0 ;; 0) ;; *) return 0 ;; esac
    while read -r value rest; do
      num "$value"
      [ -n "$gpu" ] && [ "$gpu" -ge $n ] || gpu=$n
    done <"$run/out"
  elif command -v rocm-smi >/dev/null 2>&1; then
    bounded 20 rocm-smi --showuse --csv
    case $? in 124) gpu=unknown && return 0 ;; 0) ;; *) return 0 ;; esac
    while IFS=',' read -r device value rest; do
      case $device in card*) num "\${value%%[!0-9]*}" ;; *) continue ;; esac
      [ -n "$gpu" ] && [ "$gpu" -ge $n ] || gpu=$n
    done <"$run/out"
  fi
}

# Sets $why_used when the pod has been in use since the last look at it.
sample() {
  why_used=
  uptime_cs
  passed=$((up - sampled))
  sampled=$up
  # The editor writes there while a terminal or a transfer is in use.
  mark=
  [ ! -f "$run/used" ] || read -r mark <"$run/used"
  [ "$mark" = "$used_last" ] || why_used=editor
  used_last=$mark
  # Whoever types, by whatever way: the kernel notes it on the terminal.
  if command -v stat >/dev/null 2>&1; then
    set +f
    mark=$(stat -c %X /dev/pts/[0-9]* 2>/dev/null)
    set -f
    [ -z "$mark" ] || [ "$mark" = "$tty_last" ] || why_used=terminal
    tty_last=$mark
  fi
  if cpu_time; then
    # A fifth of one core.
    [ -n "$cpu_last" ] && [ $((cpu_cs - cpu_last)) -lt $((passed / 5)) ] || why_used=cpu
    cpu_last=$cpu_cs
  else
    why_used=cpu-unknown
  fi
  if net_bytes; then
    # 64 KiB a second.
    [ -n "$net_last" ] && [ $((net_bytes - net_last)) -lt $((passed * 655)) ] || why_used=\${why_used:-network}
    net_last=$net_bytes
  fi
  if [ -z "$why_used" ] && [ -n "$keep_dir" ]; then
    if bounded 10 run_alive "\${keep_dir%/guard}/runs"; then
      [ ! -s "$run/out" ] || why_used=run
    else
      why_used=run-unknown
    fi
  fi
  if [ -z "$why_used" ]; then
    gpu_load
    case $gpu in
      unknown) why_used=gpu-unknown ;;
      ?*) [ "$gpu" -lt 10 ] || why_used=gpu ;;
    esac
  fi
  [ -z "$why_used" ] || { now; last_use=$now; }
}
`;
