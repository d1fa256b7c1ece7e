#!/bin/sh
# A root filesystem of Debian with systemd, MariaDB and nginx, which tests boot. Made once, kept outside the
# checkout; needs root, and debootstrap.
set -eu

CACHE=${OUTDIAL_CACHE:-/var/cache/outdial}

usage() {
	cat <<'END'
Usage: dev/boot-root.sh [SUITE]

Makes the root filesystem that the tests of the packages boot, unless it exists, and prints its folder.
SUITE is a release of Debian (default: that of this machine). The folder is $OUTDIAL_CACHE/boot-SUITE
(default of OUTDIAL_CACHE: /var/cache/outdial); remove it as you like.
END
}

fail() {
	echo "$*" >&2
	exit 1
}

case ${1-} in
-h | --help) usage && exit ;;
-*) usage >&2 && exit 2 ;;
esac
suite=${1:-$(. /etc/os-release && echo "${VERSION_CODENAME-}")}
root=$CACHE/boot-$suite
if [ ! -d "$root" ]; then
	[ "$(id -u)" = 0 ] || fail "making a root filesystem to boot needs root"
	command -v debootstrap > /dev/null || fail "debootstrap is not installed"
	packages=systemd,systemd-sysv,dbus,ca-certificates,iproute2,procps,curl,python3,nginx-light,mariadb-server
	[ "$suite" != bookworm ] || packages=$packages,libnss-systemd # newer releases have it in systemd
	mkdir -p "$CACHE"
	exec 9> "$CACHE/lock"
	flock 9
	rm -rf "$root.new"
	[ -d "$root" ] || {
		debootstrap --variant=minbase --include=$packages "$suite" "$root.new" > "$root.log" 2>&1 ||
			fail "debootstrap of $suite failed: $(tail -n 1 "$root.log") (see $root.log)"
		rm -rf "$root.new"/var/cache/apt/archives/*.deb
		mv "$root.new" "$root"
	}
fi
echo "$root"
