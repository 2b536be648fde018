import { sh } from './sh';

/** Ends the pod, and does not rest until the API says that it has. */
export const finish = sh`
# One way to ask; 0: accepted, 2: refused for good, 3: not in a state for it, 1: no answer worth the name.
by_action() {
  call POST "$api/pods/$pod/action" "{\"action\":\"$at\"}" || { trouble="no answer ($tool $failed)"; return 1; }
  case $code in
    2*) return 0 ;;
    409) trouble='not now' && return 3 ;;
    404) trouble='gone' && return 3 ;;
    401 | 403 | 405 | 410) case $body in *'"status"'*) trouble=refused && return 2 ;; esac ;;
  esac
  trouble="HTTP $code"
  return 1
}
by_graphql() {
  verb=podStop answer_of=' { id desiredStatus }'
  [ $at = stop ] || verb=podTerminate answer_of=
  call POST "$graphql" "{\"query\":\"mutation { $verb(input: {podId: \\\"$pod\\\"})$answer_of }\"}" || return 1
  [ $code = 200 ] || return 1
  case $body in *'"errors"'*) return 1 ;; *'"data"'*) return 0 ;; esac
  return 1
}
by_runpodctl() {
  command -v runpodctl >/dev/null 2>&1 || return 1
  RUNPOD_API_KEY=$key
  export RUNPOD_API_KEY
  if [ $at = stop ]; then
    bounded 60 runpodctl pod stop "$pod" || bounded 60 runpodctl stop pod "$pod"
  else
    bounded 60 runpodctl pod delete "$pod" || bounded 60 runpodctl remove pod "$pod"
  fi
}

# Returns when it is not due any more: extended, lifted, or another start.
finish() {
  began_finish=$now seen_at=0 accepted=
  state=stopping
  tell
  while :; do
    now
    if [ $seen_at = 0 ] || [ $((now - seen_at)) -gt 60 ]; then
      look
      case $? in
        0) seen_at=$base ;;
        2) seen_at=$base status=RUNNING locked= && [ -z "$accepted" ] || status=TERMINATED ;;
        *)
          [ $code != 404 ] || [ -z "$accepted" ] || state=stopped
          tell
          try_again
          still_due || return 0
          continue
          ;;
      esac
      settle_start
    fi
    still_due || return 0
    case $status in
      EXITED | TERMINATED | ERROR)
        state=stopped
        tell
        seen_at=0
        nap 15
        continue
        ;;
    esac
    if [ "$locked" = true ]; then
      state=locked
      tell
      seen_at=0
      nap 45
      continue
    fi
    # The answer that was just read shows the time, so nothing ends before it is due.
    [ $base -ge $end ] || { seen_at=0; return 0; }
    by_action
    case $? in
      0)
        [ $at = stop ] || accepted=1
        scan "$body"
        case $j_status in
          EXITED | TERMINATED) status=$j_status ;;
          *) seen_at=0 && nap 5 ;;
        esac
        ;;
      3) seen_at=0 && nap 3 ;;
      2)
        state=refused
        tell
        if by_graphql || by_runpodctl; then nap 5; else state=refused; tell; nap 45; fi
        seen_at=0
        ;;
      *)
        tell
        if [ $((now - began_finish)) -gt 300 ] && { by_graphql || by_runpodctl; }; then
          seen_at=0
          nap 5
        else
          try_again
        fi
        ;;
    esac
  done
}
# Until the next try: where nothing answers a little longer, and as long as RunPod asks for.
try_again() {
  pause=3
  [ $code != 0 ] || pause=5
  # Before the first answer nobody knows how the clocks run.
  [ -n "$known" ] || [ $tries -gt 20 ] || pause=1
  [ $code != 429 ] || [ $retry_after -le $pause ] || pause=$retry_after
  [ $pause -le 60 ] || pause=60
  nap $pause
}
still_due() {
  take_orders
  now
  find_end
  [ $end -gt 0 ] && [ $now -ge $end ]
}
`;
