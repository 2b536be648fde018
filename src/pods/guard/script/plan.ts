import { sh } from './sh';

/**
 * What is to happen: limits for every start (`limit`, `idle` in seconds, `budget` in ten-thousandths of a dollar, `at`), and
 * what they come to for this one (`started`, `deadline`, `grace`, `lifted`, `carry`: seconds since 1970 by the API's clock).
 * It lies on the mount, where it outlives the container; orders come as files of their own and go into it one by one.
 */
export const plan = sh`
limit=0 idle=0 budget=0 at=stop started= deadline=0 grace=0 lifted=0 carry=0 planned= revision= saved=

put() {
  case $1 in
    limit) num "$2" && limit=$n ;;
    idle) num "$2" && idle=$n ;;
    budget) num "$2" && budget=$n ;;
    at) case $2 in stop | terminate) at=$2 ;; esac ;;
    started) started=$2 ;;
    deadline) num "$2" && deadline=$n ;;
    grace) num "$2" && grace=$n ;;
    lifted) num "$2" && lifted=$n ;;
    carry) num "$2" && carry=$n ;;
    revision) revision=$2 ;;
  esac
}

# The mount's copy of the plan; ours in $run counts where there is no mount. A mount that hangs is waited for, not long.
load_plan() {
  keep_dir=
  if [ -n "$mount" ] && bounded 10 mkdir -p "$mount/.runpod-workspaces/$pod/guard"; then
    keep_dir=$mount/.runpod-workspaces/$pod/guard
    saved=1
    # Half a plan is none: the container's own may be whole.
    bounded 10 cat "$keep_dir/plan" && whole_plan "$run/out" && cp "$run/out" "$run/plan" 2>/dev/null
  fi
  whole_plan "$run/plan" || return 0
  while IFS='=' read -r name value; do put "$name" "$value"; done <"$run/plan"
  planned=1
}

whole_plan() {
  [ -s "$1" ] || return 1
  complete=
  while IFS='=' read -r name value; do
    [ "$name" = end ] && complete=1
  done <"$1"
  [ -n "$complete" ]
}

save_plan() {
  text="limit=$limit\${nl}idle=$idle\${nl}budget=$budget\${nl}at=$at\${nl}started=$started\${nl}deadline=$deadline\${nl}grace=$grace\${nl}lifted=$lifted\${nl}carry=$carry\${nl}revision=$revision\${nl}end=1"
  { printf '%s\n' "$text" >"$run/plan.new" && mv "$run/plan.new" "$run/plan"; } 2>/dev/null
  [ -n "$keep_dir" ] || return 0
  # The mount may hang or be full; the guard goes on with what it has, says so, and tries again.
  saved=
  bounded 10 put_away "$keep_dir/plan" && saved=1
}
put_away() { printf '%s\n' "$text" >"$1.new" && mv "$1.new" "$1" || { rm -f "$1.new"; return 1; }; }

# Whose start this is: another startedAt than before is a new one, and has the whole limit, with ten minutes at least.
settle_start() {
  [ -n "$pod_started" ] && [ "$pod_started" != "$started" ] || return 0
  now
  if [ -n "$started" ] && [ $carry -gt 0 ] && [ $((now - carry)) -lt 900 ]; then
    # A restart that was announced: the same start goes on.
    grace=0
  else
    # The first one of all has no grace: its limit was chosen a moment ago.
    grace=0
    [ -z "$started" ] || grace=$((pod_began + 600))
    deadline=0
    [ $limit = 0 ] || deadline=$((pod_began + limit))
    lifted=0
    last_use=$now
  fi
  carry=0
  started=$pod_started
  [ -z "$planned" ] || save_plan
}

# Carries out what has been ordered since.
take_orders() {
  set +f
  set -- "$run"/orders/*
  set -f
  for order in "$@"; do
    case $order in *.new) continue ;; esac
    [ -f "$order" ] || continue
    revision=\${order##*/}
    now
    order_fresh= order_from=start order_limit= order_end= order_signed=
    while IFS='=' read -r name value; do
      case $name in
        fresh) order_fresh=1 ;;
        from) order_from=$value ;;
        limit) num "$value" && order_limit=$n ;;
        extend) order_signed=$value ;;
        end) num "$value" && order_end=$n ;;
      esac
    done <"$order"
    if [ -z "$order_fresh" ] || [ -z "$planned" ]; then
      while IFS='=' read -r name value; do
        case $name in
          idle | budget) put "$name" "$value" && lifted=0 ;;
          at) put "$name" "$value" ;;
          lift) lifted=1 deadline=0 ;;
          carry) carry=$now ;;
          used) last_use=$now ;;
        esac
      done <"$order"
      if [ -n "$order_limit" ]; then
        limit=$order_limit lifted=0 deadline=0
        if [ $limit -gt 0 ]; then
          if [ "$order_from" = now ] || [ $pod_began = 0 ]; then deadline=$((now + limit)); else deadline=$((pod_began + limit)); fi
        fi
      fi
      [ -z "$order_end" ] || { lifted=0; deadline=$((now + order_end)); }
      case $order_signed in
        '') ;;
        -*)
          num "\${order_signed#-}"
          if [ $deadline -gt 0 ]; then
            deadline=$((deadline - n))
            [ $deadline -gt $now ] || deadline=$now
          fi
          ;;
        *)
          num "$order_signed"
          lifted=0
          [ $deadline -gt $now ] || deadline=$now
          deadline=$((deadline + n))
          ;;
      esac
      planned=1
      save_plan
    fi
    rm -f "$order"
    # The last few before it: windows that order at the same moment each wait for their own.
    set -- $taken $earlier
    earlier="$1 $2 $3 $4 $5"
    taken=$revision
    news=1
  done
}

# What ends this start first: $end (0: nothing) and $by.
find_end() {
  end=0 by=
  [ $lifted = 0 ] || return 0
  first_of limit $deadline
  if [ $budget -gt 0 ] && [ $cost -gt 0 ] && [ -n "$pod_started" ]; then first_of budget $((pod_began + budget * 3600 / cost)); fi
  if [ $idle -gt 0 ]; then first_of idle $((last_use + idle)); fi
  if [ $end -gt 0 ] && [ $end -lt $grace ]; then end=$grace; fi
}
first_of() {
  [ $2 -gt 0 ] || return 0
  if [ $end = 0 ] || [ $2 -lt $end ]; then end=$2 by=$1; fi
}
`;
