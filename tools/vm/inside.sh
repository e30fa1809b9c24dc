#!/bin/sh
# First thing that runs in the virtual machine: a network, then the command that run.sh left, then power off, or
# another boot with the same command if it has made the file `reboot`.
cd /clone || exit 1
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
ip route add default via 10.0.2.2
echo 'nameserver 10.0.2.3' >/etc/resolv.conf
# Files keep the times they had on the host, so that nothing looks newer than the build.
export PATH="/clone/node_modules/.bin:$PATH"
echo "vm: up after $(cut -d ' ' -f 1 /proc/uptime) s, Linux $(uname -r)"
sh /clone/command 2>&1
code=$?
sync
if [ -e /clone/reboot ]; then
  rm /clone/reboot
  echo 'vm: reboots'
  exec systemctl reboot --no-block
fi
echo "vm: exit $code"
systemctl poweroff --force
