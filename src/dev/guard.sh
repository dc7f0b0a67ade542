# Waits until the pipe at its input closes, however the process that holds the other end has ended, and
# stops the servers it was told of, so that none is ever left behind. One order a line: the name of a
# server's program and its pid, or `remove` and a path that goes at the very end.
trap '' HUP INT TERM
servers=
while read -r order what; do
  case $order in
    remove) set -- "$@" "$what" ;;
    *) servers="$servers $what:$order" ;;
  esac
done

# By name too, for a pid may have passed to a stranger; and not dead, though nobody has reaped it.
alive() {
  read -r line <"/proc/$1/stat" || return 1
  case $line in
    *"($2) Z"* | *"($2) X"*) return 1 ;;
    *"($2) "*) return 0 ;;
    *) return 1 ;;
  esac
} 2>/dev/null

left() {
  for server in $servers; do
    if alive "${server%%:*}" "${server#*:}"; then echo "${server%%:*}"; fi
  done
}

# PostgreSQL does not wait for its clients when it is interrupted; the others stop well at SIGTERM.
ask() {
  for server in $servers; do
    alive "${server%%:*}" "${server#*:}" || continue
    case $server in
      *:postgres) kill -INT "${server%%:*}" ;;
      *) kill -TERM "${server%%:*}" ;;
    esac
  done
}

# Asked again and again: a server that has just begun may not be listening to signals yet.
tries=0
while [ -n "$(left)" ] && [ "$tries" -lt 80 ]; do
  ask
  sleep 0.05
  tries=$((tries + 1))
done
for pid in $(left); do kill -KILL "$pid"; done
rm -rf "$@"
