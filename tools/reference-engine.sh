#!/bin/sh
# The reference: an unmodified Docker Engine with its command line, buildx and compose, as Debian packages them.
# It is unpacked into the cache, and runs in a network namespace of its own, beside the engine under test.
#
#   reference-engine.sh clients      fetch the docker command line and its two plugins only; prints what to export
#   reference-engine.sh fetch        fetch the engine too
#   reference-engine.sh start        fetch if needed, start (once), print what to export
#   reference-engine.sh stop         stop it and remove what it had mounted
#   reference-engine.sh run CMD...   run CMD in its network namespace, where its published ports answer
#
# Needs root for start, stop and run; runc and iptables must be installed (tools/test-packages.txt).
set -eu
cache=${WHARF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/wharf}/reference
state=${WHARF_REFERENCE_STATE:-${TMPDIR:-/tmp}/wharf-reference}
root=$cache/root
namespace=${WHARF_REFERENCE_NAMESPACE:-wharf-reference}
socket=$state/docker.sock

# unpack DONE PACKAGE...: packages of the suite sid, without installing them. DONE marks that it was done.
unpack() {
  mark=$cache/$1; shift
  [ ! -e "$mark" ] || return 0
  mkdir -p "$cache/apt/lists/partial" "$cache/apt/archives/partial" "$root"
  mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)
  [ -n "$mirror" ] || mirror=$(sed -n 's/^deb .*\(http[^ ]*\).*/\1/p' /etc/apt/sources.list 2>/dev/null | head -n 1)
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  echo "deb [signed-by=$keyring] ${mirror:-http://deb.debian.org/debian} sid main" >"$cache/apt/sources.list"
  apt update
  (cd "$cache/apt/archives" && rm -f ./*.deb && apt download "$@")
  for package in "$cache"/apt/archives/*.deb; do dpkg -x "$package" "$root"; done
  rm -f "$cache"/apt/archives/*.deb
  : >"$mark"
}

# apt-get with lists and archives of its own: nothing of the host's package state changes. A mirror may be some days old.
apt() {
  apt-get -qq -o Dir::Etc::sourcelist="$cache/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$cache/apt/lists" -o Dir::Cache="$cache/apt" -o APT::Sandbox::User=root \
    -o Acquire::Check-Valid-Until=false "$@" >&2
}

clients() {
  unpack clients-done docker-cli docker-compose docker-buildx
  mkdir -p "$cache/config/cli-plugins"
  for plugin in docker-compose docker-buildx; do
    ln -sf "../../root/usr/libexec/docker/cli-plugins/$plugin" "$cache/config/cli-plugins/$plugin"
  done
}

fetch() {
  clients
  unpack engine-done docker.io containerd
}

answers() { [ -S "$socket" ] && DOCKER_HOST=unix://$socket "$root/usr/bin/docker" version >/dev/null 2>&1; }

# A pair of links gives the namespace a default route, which the engine wants to see; nothing is behind it.
make_namespace() {
  [ ! -e /run/netns/$namespace ] || return 0
  ip netns add $namespace
  ip -n $namespace link set lo up
  ip -n $namespace link add v0 type veth peer name v1
  ip -n $namespace addr add 10.123.4.2/24 dev v0
  ip -n $namespace link set v0 up
  ip -n $namespace link set v1 up
  ip -n $namespace route add default via 10.123.4.1
}

start() {
  fetch
  if ! answers; then
    make_namespace
    mkdir -p "$state/data" "$state/exec"
    # nsenter, since `ip netns exec` would hide the cgroup mounts.
    PATH=$root/usr/sbin:$root/usr/bin:$PATH nohup nsenter --net=/run/netns/$namespace \
      "$root/usr/sbin/dockerd" --data-root "$state/data" --exec-root "$state/exec" --pidfile "$state/pid" \
      -H "unix://$socket" --insecure-registry 127.0.0.0/8 --experimental >"$state/log" 2>&1 </dev/null &
    tries=0
    until answers; do
      tries=$((tries + 1))
      [ $tries -lt 150 ] || { tail -n 20 "$state/log" >&2; echo 'the reference engine does not answer' >&2; exit 1; }
      sleep 0.2
    done
  fi
  echo "export DOCKER_HOST=unix://$socket"
  exports
}

exports() { echo "export DOCKER_CONFIG=$cache/config PATH=$root/usr/bin:\$PATH"; }

stop() {
  if [ -f "$state/pid" ]; then
    pid=$(cat "$state/pid")
    kill "$pid" 2>/dev/null || :
    tries=0
    while [ -d "/proc/$pid" ] && [ $tries -lt 150 ]; do tries=$((tries + 1)); sleep 0.2; done
  fi
  [ ! -e /run/netns/$namespace ] || ip netns del $namespace
  # Mounts left by a killed engine, deepest first.
  awk -v under="$state/" 'index($2, under) == 1 { print $2 }' /proc/self/mounts | sort -r |
    while read -r path; do umount -l "$path" || :; done
  rm -rf "$state"
}

case ${1:-} in
  clients) clients; exports ;;
  fetch | start | stop) "$1" ;;
  run) shift; exec nsenter --net=/run/netns/$namespace "$@" ;;
  *) sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
