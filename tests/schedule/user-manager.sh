#!/usr/bin/env bash
# user-manager.sh UID HOME CMD...: runs CMD as user UID beside a real systemd user manager and its session bus, in mount,
# pid and cgroup namespaces of their own. Needs root, and Debian's systemd, dbus and util-linux. Nothing of it stays.
set -u
export MANAGER_UID=$1 HOME=$2
shift 2
export XDG_RUNTIME_DIR=$HOME/.run
export DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus
# shellcheck disable=SC2016 # the inner shells expand it
export INNER='
  until_there() { for _ in $(seq 200); do "$@" >/dev/null 2>&1 && return; sleep 0.05; done; echo "never: $*" >&2; exit 99; }
  running() { systemctl --user is-system-running | grep -qE "running|degraded"; }
  dbus-daemon --session --address="$DBUS_SESSION_BUS_ADDRESS" --nofork --nopidfile --nosyslog &
  until_there test -S "$XDG_RUNTIME_DIR/bus"
  /usr/lib/systemd/systemd --user --log-target=console --log-level=info >"$HOME/.run/manager.log" 2>&1 &
  until_there running
  "$@"'
# shellcheck disable=SC2016 # the inner shell expands them
unshare --mount --pid --fork --kill-child --cgroup --mount-proc bash -c '
  set -e
  mkdir -p /run/systemd
  mount -t tmpfs tmpfs /run/systemd
  mkdir -p /run/systemd/system
  umount -l /sys/fs/cgroup
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  own=/sys/fs/cgroup/keyrot-test.$$
  mkdir -p "$own/session"
  echo $$ >"$own/session/cgroup.procs"
  chown -R "$MANAGER_UID" "$own"
  install -d -m 700 -o "$MANAGER_UID" "$XDG_RUNTIME_DIR"
  exec setpriv --reuid="$MANAGER_UID" --regid="$MANAGER_UID" --clear-groups --inh-caps=-all bash -c "$INNER" _ "$@"' _ "$@"
