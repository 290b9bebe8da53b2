#!/usr/bin/env bash
# clean-root.sh deb|rpm ROOT.tar HOME OLDER NEWER: unpacks a clean Debian, installs a package there, has alice, whose
# home is a copy of HOME, work with it, installs a newer version over it, and removes it. Says 'ok: …' of each thing that was
# as it must be; ends with 1 at the first that was not. The network is shared: AWS_ENDPOINT_URL is on loopback.
# Needs root, in mount and pid namespaces of its own: unshare --mount --pid --fork --kill-child.
set -euo pipefail
kind=$1 tar=$2 home=$3 older=$4 newer=$5

work=$(mktemp -d)
trap 'umount -l "$work/dev" "$work/proc" 2>/dev/null; rm -rf --one-file-system "$work"' EXIT

ok() { printf 'ok: %s\n' "$*"; }
die() { printf 'not ok: %s\n' "$*"; exit 1; }

unpack() {
  tar -C "$work" -xf "$tar"
  mount --make-rprivate /
  mount --rbind /dev "$work/dev"
  mount -t proc proc "$work/proc"
  chroot "$work" useradd --create-home --uid 4321 alice
  cp -R "$home/." "$work/home/alice"
  chroot "$work" chown -R alice: /home/alice
}

# Every file but the package managers' own books and man's index; alice's state is hers.
list() {
  (cd "$work" && find . \( -path ./proc -o -path ./dev -o -path ./home -o -path ./tmp -o -path ./var/lib/dpkg -o -path ./var/lib/rpm \
    -o -path ./var/log -o -path ./var/cache -o -path ./etc/systemd/user \) -prune -o -print | sort)
}

alice() {
  chroot --userspec=4321:4321 "$work" /usr/bin/env -i HOME=/home/alice PATH=/usr/bin:/bin LANG=C.UTF-8 \
    AWS_ENDPOINT_URL="$AWS_ENDPOINT_URL" AWS_REGION=us-east-1 "$@"
}

add() {
  case $kind in
    deb) cp "$1" "$work/tmp/package.deb"; chroot "$work" dpkg -i /tmp/package.deb ;;
    # Its dependencies are rpm's names of libraries that this root has from Debian's packages.
    rpm) rpm --root "$work" --nodeps --upgrade --oldpackage --nosignature "$1" ;;
  esac
}

take_away() {
  case $kind in
    deb) chroot "$work" dpkg --purge keyrot-me ;;
    rpm) rpm --root "$work" --erase keyrot-me ;;
  esac
}

enabled() { chroot "$work" systemctl --global is-enabled keyrot-me.timer 2>/dev/null || true; }

held() { grep -m 1 -o 'AKIA[A-Z0-9]*' "$work/home/alice/.aws/credentials"; }

installed() {
  add "$older" >/dev/null
  [ "$(enabled)" = disabled ] || die "the timer is '$(enabled)' after the installation"
  ok "installed; the timer is there and nobody's yet"
  chroot "$work" systemctl --quiet --global enable keyrot-me.timer
  add "$newer" >/dev/null
  [ "$(enabled)" = enabled ] || die "after the upgrade the timer is '$(enabled)'"
  ok "the upgrade left the timer as it was"
}

rotates() {
  local before
  before=$(held)
  alice keyrot-me rotate || die "rotate ended with $?"
  [ "$(held)" != "$before" ] || die "alice still holds $before"
  alice keyrot-me status --check >/dev/null || die "after the rotation status --check ended with $?"
  ok "rotate gave alice another key, with a code from mfa.command"
}

documented() {
  local page
  for page in keyrot-me keyrot-me-rotate keyrot-me-schedule-install; do
    alice man --where "$page" >/dev/null || die "man finds no $page"
  done
  # shellcheck disable=SC2016 # that shell expands it
  alice bash -c '. /usr/share/bash-completion/bash_completion; _completion_loader keyrot-me
    COMP_WORDS=(keyrot-me rot); COMP_CWORD=1; COMP_LINE="keyrot-me rot"; COMP_POINT=${#COMP_LINE}
    _keyrot-me keyrot-me rot keyrot-me; [ "${COMPREPLY[*]}" = rotate ]' || die "bash completes nothing"
  ok "man and bash's completion find what was installed"
}

without_systemd() {
  local said
  said=$(alice keyrot-me schedule install 2>&1) || true
  case $said in
    *"/usr/bin/keyrot-me rotate --scheduled"*) ok "without a user manager schedule install gives the line for cron" ;;
    *) die "schedule install said: $said" ;;
  esac
}

removed() {
  local before=$1 said left
  said=$(take_away 2>&1)
  case $said in *"keyrot-me schedule remove"*"store move --to file"*) ;; *) die "the removal said: $said" ;; esac
  left=$(find "$work/etc/systemd" "$work/usr/lib/systemd" "$work/lib/systemd" "$work/etc/cron"* -name '*keyrot*' 2>/dev/null || true)
  [ -z "$left" ] || die "the removal left $left"
  left=$(diff <(printf '%s\n' "$before") <(list)) || die "the removal left a difference: $left"
  ok "removed: no file and no timer is left"
}

unpack
before=$(list)
installed
rotates
documented
without_systemd
removed "$before"
