# Replaces a file on an ext4 disk of our own, copies the disk as it stands (what had reached it, and no more),
# and shows what a machine that lost power then would find. Arguments: the folder for the disk, the worker's
# command. Environment: KILL_AT, the call before which the worker is killed (fsync:when=2); empty for none.
#
# The mount is the least forgiving one: commits wait for 300 s, data is not ordered before names, and ext4's
# own repair of programs that forget to sync before a rename (auto_da_alloc) is off.
set -eu
work=$1; shift
truncate -s 16M "$work/disk"
mkfs.ext4 -q -F "$work/disk"
mkdir -p "$work/m" "$work/after"
mount -o loop,commit=300,noatime,data=writeback,noauto_da_alloc "$work/disk" "$work/m"
head -c 20000 /dev/zero | tr '\0' o > "$work/m/credentials"
chmod 600 "$work/m/credentials"
sync -f "$work/m"
set +e
if [ -n "$KILL_AT" ]; then
  KEYROT_ME_TEST_FILE=$work/m/credentials \
    strace -f -o "$work/trace" -e trace=fsync,rename,renameat,renameat2 -e "inject=$KILL_AT:signal=KILL" "$@" > "$work/said" 2>&1
else
  KEYROT_ME_TEST_FILE=$work/m/credentials "$@" > "$work/said" 2>&1
fi
set -e
cp --sparse=always "$work/disk" "$work/copy"
umount "$work/m"
mount -o loop "$work/copy" "$work/after"
grep -o 'said: .*' "$work/said" || echo 'said: nothing'
echo "holds: $(wc -c < "$work/after/credentials") bytes of $(tr -d '\n' < "$work/after/credentials" | fold -w1 | sort -u | tr -d '\n')"
umount "$work/after"
