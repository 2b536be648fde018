import { sh } from './sh';

/** What the API says of the guard's own pod, read without a JSON parser: few images have one for the shell. */
export const ownPod = sh`
# The text of the string that $rest begins in, up to its closing quote; escapes stay as they are.
string() {
  text=
  while :; do
    piece=\${rest%%\"*}
    rest=\${rest#*\"}
    text=$text$piece
    slashes=\${piece##*[!\\]}
    [ $((\${#slashes} % 2)) = 1 ] || return 0
    case $rest in *\"*) ;; *) return 1 ;; esac
    text=$text\"
  done
}

# The scalars at the top of a JSON object: env and the like may hold anything, also what looks like an answer.
scan() {
  rest=$1 depth=0 name=
  j_id= j_status= j_startedAt= j_cost= j_locked=
  while [ -n "$rest" ]; do
    case $rest in
      *\"*) between=\${rest%%\"*} rest=\${rest#*\"} more=1 ;;
      *) between=$rest rest= more= ;;
    esac
    if [ -n "$name" ] && [ $depth = 1 ]; then
      literal=\${between#*:}
      literal=\${literal%%[,\}]*}
      literal=\${literal%%[\{\[]*}
      while :; do case $literal in [\ $nl$cr]*) literal=\${literal#?} ;; *[\ $nl$cr]) literal=\${literal%?} ;; *) break ;; esac; done
      if [ -n "$literal" ]; then
        keep "$name" "$literal"
        name=
      fi
    fi
    while :; do
      case $between in *[\{\}\[\]]*) ;; *) break ;; esac
      between=\${between#"\${between%%[\{\}\[\]]*}"}
      case $between in [\{\[]*) depth=$((depth + 1)) name= ;; *) depth=$((depth - 1)) ;; esac
      between=\${between#?}
    done
    [ -n "$more" ] || break
    string || return 1
    [ $depth = 1 ] || continue
    if [ -n "$name" ]; then
      keep "$name" "$text"
      name=
    else
      name=$text
    fi
  done
}
keep() {
  case $1 in
    id) j_id=$2 ;; status) j_status=$2 ;; startedAt) j_startedAt=$2 ;; cost) j_cost=$2 ;; locked) j_locked=$2 ;;
  esac
}

# USD in ten-thousandths, of "0.69" and the like.
dollars() {
  num "\${1%%.*}"
  whole=$n
  fraction=0000
  case $1 in *.*) fraction=\${1#*.}0000 ;; esac
  num "\${fraction%"\${fraction#????}"}"
  dollars=$((whole * 10000 + n))
}

# Reads the guard's own pod. 0: read, and the clock with it; 1: no answer worth the name; 2: the key may not.
look() {
  call GET "$api/pods/$pod" || { trouble="no answer ($tool $failed)"; return 1; }
  case $code in
    200) ;;
    401 | 403)
      # A gateway's page is not the API's refusal.
      case $body in *'"status"'*) trouble=refused && observe "$date" && return 2 ;; esac
      trouble="HTTP $code"
      return 1
      ;;
    *) trouble="HTTP $code" && return 1 ;;
  esac
  scan "$body"
  [ "$j_id" = "$pod" ] && [ -n "$j_status" ] || { trouble='unreadable answer'; return 1; }
  observe "$date" || { trouble='odd clock'; return 1; }
  trouble=
  status=$j_status
  locked=$j_locked
  if [ -n "$j_startedAt" ] && [ "$j_startedAt" != null ] && iso_date "$j_startedAt"; then
    pod_started=$j_startedAt
    pod_began=$epoch
  fi
  dollars "$j_cost"
  [ $dollars = 0 ] || cost=$dollars
  return 0
}
`;
