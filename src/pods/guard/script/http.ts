import { sh } from './sh';

/**
 * One call to the API by whatever the image has. The key goes in by standard input or a file of our own, never as an
 * argument that other processes can read.
 */
export const http = sh`
agent='runpod-workspaces-guard/1'
python='
import sys, urllib.error as e, urllib.request as u
method, url, seconds, agent, body = sys.argv[1:6]
class Stay(u.HTTPRedirectHandler): redirect_request = lambda *_: None
headers = {"Authorization": sys.stdin.readline().strip(), "Content-Type": "application/json", "Accept": "application/json", "User-Agent": agent}
try: a = u.build_opener(Stay).open(u.Request(url, data=body.encode() if body else None, method=method, headers=headers), timeout=float(seconds))
except e.HTTPError as refused: a = refused
out = "HTTP/1.1 %d -\r\n" % a.code + "".join("%s: %s\r\n" % h for h in a.headers.items()) + "\r\n" + a.read().decode("utf-8", "replace")
sys.stdout.buffer.write(out.encode())
'

# The first of the tools that is there and able: curl that reads a header from standard input (7.55), python3, GNU wget.
choose_tool() {
  tool=
  if command -v curl >/dev/null 2>&1; then
    release=$(curl --version 2>/dev/null)
    release=\${release#curl }
    num "\${release%%.*}"
    major=$n
    release=\${release#*.}
    num "\${release%%.*}"
    if [ $major -gt 7 ] || { [ $major -eq 7 ] && [ $n -ge 55 ]; }; then
      tool=curl
      return 0
    fi
  fi
  if command -v python3 >/dev/null 2>&1 && python3 -c 'import ssl, urllib.request' >/dev/null 2>&1; then
    tool=python3
    return 0
  fi
  case $(wget --version 2>/dev/null) in *'GNU Wget'*) tool=wget && return 0 ;; esac
  return 1
}

unanswered=0

# call METHOD URL [BODY] sets code (0: no answer), date, retry_after and body.
call() {
  # An answer that is lost must not cost much of the minute in which a pod has to end; a slow one gets its chance now and then.
  patience=$((12000 / rate))
  [ $((unanswered % 3)) -lt 2 ] || patience=$((30000 / rate))
  [ $patience -ge 2 ] || patience=2
  unanswered=$((unanswered + 1))
  code=0 date= cached= retry_after=0 body= answer= failed=
  case $tool in
    curl)
      set -- "$1" "$2" "\${3:-}" -i -sS -A "$agent" -H @- -H 'Content-Type: application/json' -H 'Accept: application/json' --max-time $patience -X "$1"
      url=$2 sent=$3
      shift 3
      [ -z "$sent" ] || set -- "$@" --data-binary "$sent"
      answer=$(printf 'Authorization: Bearer %s\n' "$key" | curl "$@" "$url" 2>/dev/null; printf '.%s' $?)
      ;;
    python3)
      answer=$(printf 'Bearer %s\n' "$key" | python3 -c "$python" "$1" "$2" $patience "$agent" "\${3:-}" 2>/dev/null; printf '.%s' $?)
      ;;
    wget)
      by_wget "$1" "$2" "\${3:-}"
      ;;
  esac
  failed=\${answer##*.}
  answer=\${answer%.*}
  # Informational answers, and a proxy's word about its tunnel, stand before the one that counts.
  while :; do
    case $answer in HTTP/*"$cr$nl$cr$nl"*) ;; *) return 1 ;; esac
    head=\${answer%%"$cr$nl$cr$nl"*}
    answer=\${answer#*"$cr$nl$cr$nl"}
    reply=\${head#* }
    case $reply in 1*) continue ;; esac
    case $answer in HTTP/[0-9]*\ [1-5]*) case $reply in 2*) continue ;; esac ;; esac
    break
  done
  body=$answer
  num "\${reply%%[!0-9]*}"
  code=$n
  lines=$head$cr$nl
  while [ -n "$lines" ]; do
    line=\${lines%%"$cr$nl"*}
    lines=\${lines#*"$cr$nl"}
    case $line in
      [Dd][Aa][Tt][Ee]:\ *) date=\${line#*: } ;;
      # From a cache: its Date is of another time.
      [Aa][Gg][Ee]:*) cached=1 ;;
      [Rr][Ee][Tt][Rr][Yy]-[Aa][Ff][Tt][Ee][Rr]:\ *) num "\${line#*: }" && retry_after=$n ;;
    esac
  done
  [ -z "$cached" ] || date=
  [ $code -gt 0 ] || return 1
  unanswered=0
}

by_wget() {
  rm -f "$run/wgetrc" "$run/body"
  (umask 077 && printf 'header = Authorization: Bearer %s\nheader = Content-Type: application/json\n' "$key" >"$run/wgetrc")
  set -- --method="$1" -O "$run/body" -q -S --content-on-error --tries=1 --max-redirect=0 --timeout=$patience -U "$agent" \${3:+--body-data="$3"} "$2"
  heads=$(WGETRC="$run/wgetrc" wget "$@" 2>&1)
  failed=$?
  rm -f "$run/wgetrc"
  answer=
  while [ -n "$heads" ]; do
    line=\${heads%%"$nl"*}
    case $heads in *"$nl"*) heads=\${heads#*"$nl"} ;; *) heads= ;; esac
    case $line in
      '  HTTP/'*) answer=\${line#  }$cr$nl ;;
      '  '*) answer=$answer\${line#  }$cr$nl ;;
    esac
  done
  [ -z "$answer" ] || answer=$answer$cr$nl$(cat "$run/body" 2>/dev/null)
  answer=$answer.$failed
  rm -f "$run/body"
}
`;
