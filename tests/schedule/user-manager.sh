#!/usr/bin/env bash
# user-manager.sh USER HOME CMD...: runs CMD as USER beside a real systemd user manager and its session bus, in mount, pid
# and cgroup namespaces of their own. The manager gets nothing of this environment but where things are. Needs root, and
# Debian's systemd, dbus and util-linux.
set -u
export MANAGER_USER=$1 HOME=$2
shift 2
export XDG_RUNTIME_DIR=$HOME/.run
export CGROUP=keyrot-test.$$
export DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus
# shellcheck disable=SC2016 # the inner shells expand it
export AS_USER='
  until_there() { for _ in $(seq 400); do "$@" >/dev/null 2>&1 && return; sleep 0.05; done; echo "never: $*" >&2; exit 99; }
  running() { systemctl --user is-system-running | grep -qE "running|degraded"; }
  dbus-daemon --session --address="$DBUS_SESSION_BUS_ADDRESS" --nofork --nopidfile --nosyslog </dev/null >/dev/null 2>&1 &
  until_there test -S "$XDG_RUNTIME_DIR/bus"
  env -i HOME="$HOME" PATH=/usr/bin:/bin XDG_RUNTIME_DIR="$XDG_RUNTIME_DIR" \
    DBUS_SESSION_BUS_ADDRESS="$DBUS_SESSION_BUS_ADDRESS" \
    /usr/lib/systemd/systemd --user --log-target=console --log-level=info \
    </dev/null >"$XDG_RUNTIME_DIR/manager.log" 2>&1 &
  until_there running
  "$@"'
# shellcheck disable=SC2016
unshare --mount --pid --fork --kill-child --cgroup --mount-proc bash -c '
  set -e
  mkdir -p /run/systemd
  mount -t tmpfs tmpfs /run/systemd
  mkdir -p /run/systemd/system
  umount -l /sys/fs/cgroup
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  own=/sys/fs/cgroup/$CGROUP
  mkdir -p "$own/session"
  echo $$ >"$own/session/cgroup.procs"
  chown -R "$MANAGER_USER" "$own"
  install -d -m 700 -o "$MANAGER_USER" "$XDG_RUNTIME_DIR"
  exec setpriv --reuid="$MANAGER_USER" --regid="$(id -g "$MANAGER_USER")" --clear-groups --inh-caps=-all bash -c "$AS_USER" _ "$@"' \
  _ "$@"
code=$?
# The kernel takes a moment to see that all in them have ended.
for group in /sys/fs/cgroup/"$CGROUP" /sys/fs/cgroup/unified/"$CGROUP"; do
  for _ in $(seq 40); do
    [ -d "$group" ] || break
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
    sleep 0.05
  done
done
exit $code
