import { sh } from './sh';

/** `arm` starts the guard or hands orders to the one that lives; `run` is the guard; `word` says what it says. */
export const main = sh`
state=starting armed=wait why= trouble= status= locked= pod_started= pod_began=0 cost=0 taken= earlier= news= synced=0 told=0 tries=0

# The guard's own word, for whoever asks over SSH. One write, and a last line that shows it is whole.
tell() {
  uptime_cs
  now
  find_end
  word="version=$version\${nl}pid=$$\${nl}began=$own_began\${nl}by=$started_by\${nl}state=$state\${nl}armed=$armed\${nl}why=$why\${nl}trouble=$trouble\${nl}tool=$tool\${nl}now=$now\${nl}uptime=$((up / 100))\${nl}end=$end\${nl}ends=$by\${nl}limit=$limit\${nl}deadline=$deadline\${nl}idle=$idle\${nl}last_use=$last_use\${nl}used_by=$why_used\${nl}budget=$budget\${nl}cost=$cost\${nl}at=$at\${nl}lifted=$lifted\${nl}grace=$grace\${nl}started=$started\${nl}status=$status\${nl}locked=$locked\${nl}kept=\${saved:+yes}\${nl}taken=$taken\${nl}earlier=$earlier\${nl}whole=1"
  printf '%s\n' "$word" >"$run/word" 2>/dev/null
  told=$up
}

# A read proves nothing about the right to stop; a start of a pod that runs is refused with 409 to those who have it.
check_right() {
  [ $armed != yes ] && [ "$status" = RUNNING ] || return 0
  call POST "$api/pods/$pod/action" '{"action":"start"}' || return 0
  case $code in
    409 | 2*) armed=yes why= ;;
    401 | 403) case $body in *'"status"'*) armed=no why=refused ;; esac ;;
  esac
}

guard() {
  identify
  settle_down "\${pod:-$want_pod}" || exit 4
  take_lock || exit 3
  cd /
  own_began=$began
  fractions=1
  sleep 0.01 2>/dev/null || fractions=
  nudged=
  trap 'nudged=1 woken=1; [ -z "$sleeping" ] || kill $sleeping 2>/dev/null' USR1
  trap '' HUP
  echo -500 2>/dev/null >/proc/self/oom_score_adj || :
  tool= why_used=
  if [ -z "$pod" ] || [ -z "$key" ]; then
    armed=no why=no-key
  elif ! choose_tool; then
    armed=no why=no-tool
  fi
  keep_dir=
  [ -z "$pod" ] || load_plan
  tell
  # Nothing to wait for: whoever reads the word may start another when that has changed.
  [ $armed = wait ] || exit 5
  # Until the API has told the time nothing can be due, and nothing could be done about it.
  while :; do
    look
    case $? in
      0) why= && break ;;
      2) armed=no why=refused && break ;;
    esac
    case $trouble in 'no answer (curl 60)' | 'no answer (curl 77)') why=tls ;; *) why=unreachable ;; esac
    tries=$((tries + 1))
    tell
    try_again
  done
  last_use=$base first_up=$up
  settle_start
  take_orders
  check_right
  state=watching
  tell
  # A second look soon shows whether the API's clock and ours run alike.
  next_look=$((synced + 300))
  while :; do
    now
    take_orders
    find_end
    if [ $idle -gt 0 ] && [ $lifted = 0 ]; then
      uptime_cs
      if [ $(((up - sampled) * rate / 100000)) -ge 55 ]; then
        sample
        now
        find_end
      fi
    fi
    if [ $end -gt 0 ] && [ $now -ge $end ]; then
      finish
      state=watching
      next_look=0
      continue
    fi
    uptime_cs
    # Whoever has an order for us has news as well.
    if [ $up -ge $next_look ] || [ -n "$nudged" ]; then
      nudged=
      if look; then
        settle_start
        check_right
        # Alike for a minute: then it is enough to look now and then; not all guards of an account at once.
        if [ $((up - first_up)) -lt 6000 ]; then next_look=$((up + 6000000 / rate)); else next_look=$((up + (60000 + $$ % 97 * 100) * 1000 / rate)); fi
      else
        # A clock that has jumped is believed when it says so again; and it must be known soon how it runs.
        tries=$((tries + 1))
        if [ -z "$measured" ] && [ $tries -le 20 ]; then next_look=$((up + 100)); elif [ -z "$measured" ] || [ "$trouble" = 'odd clock' ]; then next_look=$((up + 300)); else next_look=$((up + 3000000 / rate)); fi
      fi
      tell
    fi
    if [ -n "$news" ] || [ $((up - told)) -ge 6000 ]; then
      [ -n "$saved" ] || [ -z "$planned" ] || save_plan
      tell
      news=
    fi
    wait_for=30
    now
    find_end
    if [ $end -gt 0 ] && [ $((end - now)) -lt $wait_for ]; then wait_for=$((end - now)); fi
    until_look=$(((next_look - up) * rate / 100000 + 1))
    [ $until_look -ge $wait_for ] || wait_for=$until_look
    [ $wait_for -gt 0 ] || wait_for=1
    nap $wait_for
  done
}

alive() { guard_pid && live_pid=$holder; }

arm() {
  settle_down "$want_pod" || { echo armed=no; echo why=no-room; exit 4; }
  if [ -n "$order" ]; then
    if ! { printf '%s\n' "$order" >"$run/orders/$revision_wanted.new" && [ -s "$run/orders/$revision_wanted.new" ] && mv "$run/orders/$revision_wanted.new" "$run/orders/$revision_wanted"; } 2>/dev/null; then
      rm -f "$run/orders/$revision_wanted.new"
      echo why=no-room
      exit 4
    fi
  fi
  if alive && [ -n "$replace" ]; then
    kill "$live_pid" 2>/dev/null
    waits=0
    while alive && [ $waits -lt 25 ]; do sleep $fifth; waits=$((waits + fifths)); done
  fi
  if alive; then
    kill -USR1 "$live_pid" 2>/dev/null
  else
    launch=$(command -v setsid)
    rm -f "$run/word"
    $launch sh "$0" run "pod=$want_pod" "mount=$mount" "api=$api" "graphql=$graphql" "by=$started_by" </dev/null >/dev/null 2>&1 &
  fi
  [ $patience_cs -gt 0 ] || exit 0
  uptime_cs
  until_cs=$((up + patience_cs))
  while :; do
    uptime_cs
    [ $up -lt $until_cs ] || break
    said_armed= said_pid= said_taken= said_earlier= why_said=
    [ ! -f "$run/word" ] || while IFS='=' read -r name value; do
      case $name in armed) said_armed=$value ;; pid) said_pid=$value ;; taken) said_taken=$value ;; earlier) said_earlier=$value ;; why) why_said=$value ;; esac
    done <"$run/word"
    case " $said_earlier " in *" $revision_wanted "*) said_taken=$revision_wanted ;; esac
    if [ -z "$order" ] || [ "$said_armed" = no ]; then said_taken=$revision_wanted; fi
    case $why_said in no-key | no-tool) break ;; esac
    if alive; then case $said_pid.$said_taken.$said_armed in "$live_pid.$revision_wanted".yes | "$live_pid.$revision_wanted".no) break ;; esac; fi
    sleep $fifth
  done
  say
}

say() {
  cat "$run/word" 2>/dev/null
  if alive; then echo alive=1; else echo alive=0; fi
  uptime_cs
  echo "uptime_now=$((up / 100))"
  [ ! -f "$run/orders/$revision_wanted" ] || [ -z "$revision_wanted" ] || echo pending=1
  if [ -n "$mount" ] && bounded 10 cat "$mount/.runpod-workspaces/$want_pod/guard/plan"; then
    while IFS= read -r line; do echo "plan.$line"; done <"$run/out"
  fi
  echo said=1
}

mode=\${1:-}
[ $# = 0 ] || shift
want_pod= mount= api=https://api.runpod.io/v2 graphql=https://api.runpod.io/graphql started_by=ssh order= revision_wanted= replace= patience_cs=0
fifth=0.2 fifths=1
sleep 0.01 2>/dev/null || fifth=1 fifths=5
for argument in "$@"; do
  value=\${argument#*=}
  case $argument in
    pod=*) want_pod=$value ;;
    mount=*) mount=$value ;;
    api=*) api=$value ;;
    graphql=*) graphql=$value ;;
    by=*) started_by=$value ;;
    revision=*) revision_wanted=$value ;;
    replace=*) replace=1 ;;
    wait=*) num "$value" && patience_cs=$((n * 100)) ;;
    *=*) order=$order$argument$nl ;;
  esac
done
case $mode in
  run) guard ;;
  arm)
    if [ -z "$want_pod" ]; then
      identify
      want_pod=$pod
    fi
    [ -n "$revision_wanted" ] || revision_wanted=made
    arm
    ;;
  word)
    settle_down "$want_pod" && say
    ;;
esac
`;
