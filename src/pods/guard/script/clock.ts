import { sh } from './sh';

/**
 * The API's time. Its `Date` is the authority; the machine's uptime bridges from one answer to the next. Neither the wall
 * clock nor a single odd `Date` is believed. Where the two run apart (a machine that is paused, a simulation in fast motion),
 * waits are cut short by the rate at which they do, so that what is due is never noticed late.
 */
export const clock = sh`
# Days since 1970 of year, month, day.
days_of() {
  y=$1 m=$2
  [ "$m" -gt 2 ] || y=$((y - 1))
  era=$((y / 400))
  yoe=$((y - era * 400))
  doy=$(((153 * ((m + 9) % 12) + 2) / 5 + $3 - 1))
  days=$((era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468))
}
clock_of() {
  num "\${1%%:*}"
  seconds=$((n * 3600))
  num "$(second_of "\${1#*:}")"
  seconds=$((seconds + n * 60))
  num "\${1##*:}"
  seconds=$((seconds + n))
}
second_of() { printf '%s' "\${1%%:*}"; }

# Seconds since 1970 of "Wed, 21 Oct 2026 07:28:00 GMT"; fails for anything else.
http_date() {
  case $1 in ???,\ ??\ ???\ ????\ ??:??:??\ GMT) ;; *) return 1 ;; esac
  set -- \${1#*, }
  num "$1"
  day=$n
  case $2 in
    Jan) month=1 ;; Feb) month=2 ;; Mar) month=3 ;; Apr) month=4 ;; May) month=5 ;; Jun) month=6 ;;
    Jul) month=7 ;; Aug) month=8 ;; Sep) month=9 ;; Oct) month=10 ;; Nov) month=11 ;; Dec) month=12 ;;
    *) return 1 ;;
  esac
  num "$3"
  days_of $n $month $day
  clock_of "$4"
  epoch=$((days * 86400 + seconds))
}

# Seconds since 1970 of "2026-10-01T12:00:00.123Z", or with an offset.
iso_date() {
  case $1 in ????-??-??T??:??:??*) ;; *) return 1 ;; esac
  iso_day=\${1%%T*}
  iso_time=\${1#*T}
  num "\${iso_day%%-*}"
  year=$n
  num "\${iso_day##*-}"
  day=$n
  iso_day=\${iso_day#*-}
  num "\${iso_day%%-*}"
  days_of $year $n $day
  zone=\${iso_time#????????}
  iso_time=\${iso_time%"$zone"}
  clock_of "$iso_time"
  epoch=$((days * 86400 + seconds))
  case $zone in
    *+??:??) clock_of "\${zone##*+}:00" && epoch=$((epoch - seconds)) ;;
    *-??:??) clock_of "\${zone##*-}:00" && epoch=$((epoch + seconds)) ;;
  esac
}

# What the API's clock shows, as far as known.
known= measured= base=0 base_up=0 rate=1000 odd=0 odd_up=0
now() {
  uptime_cs
  now=0
  [ -z "$known" ] || now=$((base + (up - base_up) * rate / 100000))
}

# Takes the Date of an answer that came just now. An odd one waits for a second that agrees with it.
observe() {
  http_date "$1" || return 1
  uptime_cs
  if [ -z "$known" ]; then
    known=1
  else
    passed=$((up - base_up))
    # By how much it differs from what was to be expected.
    ahead=$((epoch - base - passed * rate / 100000))
    [ $ahead -ge 0 ] || ahead=$((-ahead))
    if [ $ahead -gt $((90 + passed / 2000)) ]; then
      since=$(((up - odd_up) / 100))
      apart=$((epoch - odd))
      if [ $odd = 0 ] || [ $apart -lt $((since - 60)) ] || [ $apart -gt $((since * 31 + 60)) ]; then
        odd=$epoch odd_up=$up
        return 1
      fi
      base=$odd base_up=$odd_up
    fi
    measure
  fi
  odd=0 base=$epoch base_up=$up synced=$up
}

# How fast the API's clock runs against ours, in thousandths: rather too fast, for waking early costs only a question.
measure() {
  passed=$((up - base_up))
  [ $passed -ge 200 ] || return 0
  gone=$(((epoch - base) * 100))
  measured=1
  off=$((gone - passed))
  [ $off -ge 0 ] || off=$((-off))
  if [ $off -le $((300 + passed / 50)) ]; then
    rate=1000
  else
    rate=$(((epoch - base + 1) * 100000 / passed))
    [ $rate -ge 1000 ] || rate=1000
    [ $rate -le 30000 ] || rate=30000
  fi
}

# Waits so many seconds of the API's time; a signal ends it, also one that came a moment before.
sleeping= woken=
nap() {
  cs=$(($1 * 100000 / rate))
  [ $cs -ge 20 ] || cs=20
  if [ -n "$fractions" ]; then
    sleep $((cs / 100)).$((cs / 10 % 10)) &
  else
    sleep $(((cs + 99) / 100)) &
  fi
  sleeping=$!
  [ -n "$woken" ] || wait $sleeping
  kill $sleeping 2>/dev/null
  sleeping= woken=
}
`;
