#!/bin/sh
# The second kind of host, for what the machine's own kernel lacks: a Debian virtual machine under qemu with pure
# cgroup v2, AppArmor and systemd. Boots it without acceleration, runs test/vm/*.test.ts inside and ends with their
# result. The disk is made once and kept in the cache; the clone comes along on a second one, made for each run.
#
#   run.sh                every test
#   run.sh COMMAND...     this command instead, in the clone's folder inside
set -eu
cd "$(dirname "$0")/../.."
sh tools/setup.sh packages test-packages modules build >&2
limit=${WHARF_VM_TIMEOUT:-600} # seconds, all in all
cache=${WHARF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/wharf}
packages=$(sed 's/#.*//' tools/packages.txt | awk '{ printf "%s,", $1 }')
packages=$packages$(sed 's/#.*//' tools/vm/packages.txt | awk '{ printf "%s ", $1 }' | tr -s ' ' ',')
packages=${packages%,}
# Another list of packages or another recipe (change the number with make_base) is another disk.
recipe=1
base=$cache/vm/$recipe-$(cat tools/vm/*.service tools/vm/packages.txt tools/packages.txt | sha256sum | cut -c 1-16)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# disk FOLDER FILE SIZE: an ext4 file system with the folder's contents.
disk() { mkfs.ext4 -q -F -d "$1" "$2" "$3" >/dev/null; }

make_base() {
  [ ! -e "$base/disk" ] || return 0
  echo 'vm: making the disk (once, about two minutes)' >&2
  rm -rf "$cache"/vm/*
  mkdir -p "$base"
  mmdebstrap --quiet --variant=minbase --include="$packages" bookworm "$work/root"
  printf '/dev/vda / ext4 noatime 0 0\n' >"$work/root/etc/fstab"
  : >"$work/root/etc/machine-id"
  echo wharf-vm >"$work/root/etc/hostname"
  printf '127.0.0.1 localhost wharf-vm\n::1 localhost\n' >"$work/root/etc/hosts"
  install -m 644 tools/vm/wharf-vm.service "$work/root/etc/systemd/system/"
  mkdir -p "$work/root/etc/systemd/system/multi-user.target.wants" "$work/root/clone"
  ln -s ../wharf-vm.service "$work/root/etc/systemd/system/multi-user.target.wants/"
  for slow in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
    getty@.service serial-getty@.service systemd-journal-flush.service; do
    ln -sf /dev/null "$work/root/etc/systemd/system/$slow"
  done
  cp "$work"/root/boot/vmlinuz-* "$base/kernel"
  cp "$work"/root/boot/initrd.img-* "$base/initrd"
  disk "$work/root" "$base/disk.part" 4G
  rm -rf "$work/root"
  mv "$base/disk.part" "$base/disk"
}

# What runs inside: programs, tests and images, nothing that only building needs.
make_clone() {
  clone=$work/clone
  mkdir -p "$clone/node_modules/.bin" "$clone/cache/images" "$clone/cache/reference/root/usr/bin"
  cp -a package.json package-lock.json wharf wharfd dist test tools src "$clone/"
  rm -rf "$clone"/dist/*.log
  cp "$(readlink -f node_modules/.bin/node)" "$clone/node_modules/.bin/node"
  cp -a node_modules/koffi node_modules/@koromix "$clone/node_modules/"
  cp package-lock.json "$clone/node_modules/.wharf-stamp"
  cp -a "$cache"/images/busybox-* "$clone/cache/images/"
  for file in root/usr/bin/docker root/usr/libexec config; do
    [ ! -e "$cache/reference/$file" ] || cp -a "$cache/reference/$file" "$clone/cache/reference/${file%/*}"
  done
  printf '%s\n' "$@" >"$clone/command"
  disk "$clone" "$work/disk" 3G
}

# A reboot ends the program: the emulated reset hangs. So the machine is started again on the same disks.
boot() {
  timeout --foreground $((limit + began - $(date +%s))) qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 3072 \
    -display none -monitor none -no-reboot -kernel "$base/kernel" -initrd "$base/initrd" \
    -append "root=/dev/vda rw console=ttyS0 net.ifnames=0 panic=-1 systemd.show_status=0 quiet" \
    -drive "file=$work/system,if=virtio,format=raw,cache=unsafe" -drive "file=$work/disk,if=virtio,format=raw,cache=unsafe" \
    -nic user,model=virtio-net-pci,restrict=on -device virtio-rng-pci \
    -serial "file:$work/console" -serial stdio </dev/null | tee -a "$work/result"
}

began=$(date +%s)
node_modules/.bin/node test/setup/prepare.ts busybox >&2
make_base
make_clone "${@:-sh tools/vm/tests.sh}"
echo "vm: prepared in $(($(date +%s) - began)) s, booting" >&2
cp --sparse=always "$base/disk" "$work/system"
boot || :
while sed '$!d' "$work/result" | grep -q '^vm: reboots'; do
  echo 'vm: boots again' >>"$work/result" # a boot that says nothing is the last one
  boot || :
done
code=$(sed -n 's/^vm: exit \([0-9]*\)\r*$/\1/p' "$work/result")
if [ -z "$code" ]; then
  tail -n 40 "$work/console" >&2
  echo "vm: no result within $limit s" >&2
  exit 1
fi
echo "vm: took $(($(date +%s) - began)) s" >&2
exit "$code"
