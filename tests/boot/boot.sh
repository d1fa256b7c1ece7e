#!/bin/sh
# Boots a root filesystem of Debian with systemd as PID 1, runs one command in it, and ends it. It needs root.
#
#   boot.sh ROOT COMMAND...
#
# The command gets the container's network, in which only loopback is up. A reboot from inside boots again.
set -eu
root=$1
shift
machine=outdial-boot-$$
log=$(mktemp)

unshare --net --mount --propagation private sh -ec '
	ip link set lo up
	mount -t tmpfs -o mode=755 tmpfs /run
	umount -R /sys/fs/cgroup
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	while :; do
		rc=0
		systemd-nspawn --quiet --boot --directory="$1" --machine="$2" --register=no --keep-unit --console=pipe || rc=$?
		[ $rc = 133 ] || exit $rc # 133: reboot
	done' sh "$root" "$machine" < /dev/null > "$log" 2>&1 &
boot=$!
leader() { # the PID 1 of the container: the child of systemd-nspawn, which is the child of the shell above
	nspawn=$(pgrep -P "$boot" -x systemd-nspawn) && pgrep -P "$nspawn" -o
}
inside() {
	nsenter -t "$(leader)" -m -u -i -n -p -C -r -w env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
}
stop() {
	if leader > /dev/null; then
		inside systemctl poweroff 2> /dev/null || kill "$boot"
	fi
	wait "$boot" || :
	rm -f "$log"
}
trap stop EXIT
trap 'exit 130' INT TERM

waited=0
until leader > /dev/null && state=$(inside systemctl is-system-running 2> /dev/null) || [ "${state-}" = degraded ]; do
	waited=$((waited + 1))
	if [ $waited -gt 600 ] || ! kill -0 "$boot" 2> /dev/null; then
		echo "boot: $root does not boot:" >&2
		tail -n 20 "$log" >&2
		exit 1
	fi
	sleep 0.2
done
status=0
inside "$@" || status=$?
exit $status
