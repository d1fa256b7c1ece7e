#!/bin/sh
# A small root filesystem of Debian unstable with MySQL 9, which Debian's stable releases do not
# have. Made once, kept outside the checkout; needs root, and debootstrap.
set -eu

CACHE=${OUTDIAL_CACHE:-/var/cache/outdial}
ROOT=$CACHE/mysql-root

usage() {
	cat <<'END'
Usage: dev/mysql-root.sh [--path]

Makes the root filesystem that MySQL runs in, unless it is there already, and prints its folder.
With --path it makes nothing: it fails when the folder is not there.
It lies in $OUTDIAL_CACHE/mysql-root (default /var/cache/outdial/mysql-root); remove it as you like.
END
}

fail() {
	echo "$*" >&2
	exit 1
}

# The archive that this machine's apt uses: its administrator may have chosen a mirror.
archive() {
	# shellcheck disable=SC2016 # apt's own variable
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		sed -n 's|/*$||; /\/debian$/p' | head -n 1 | grep . || echo http://deb.debian.org/debian
}

# Built beside its final place and renamed at the end, so a folder with the final name is complete.
make_root() {
	new=$ROOT.new
	log=$CACHE/mysql-root.log
	mkdir -p "$CACHE"
	exec 9> "$CACHE/lock"
	flock 9
	if [ -d "$ROOT" ]; then
		return
	fi
	rm -rf "$new"
	debootstrap --variant=minbase --include=mysql-server-core \
		unstable "$new" "$(archive)" > "$log" 2>&1 ||
		fail "debootstrap of Debian unstable failed: $(tail -n 1 "$log") (see $log)"
	rm -rf "$new"/var/cache/apt/archives/*.deb
	chroot "$new" /usr/sbin/mysqld --no-defaults --initialize-insecure --user=root \
		--datadir=/srv/template >> "$log" 2>&1 ||
		fail "MySQL could not create its data (see $log)"
	mv "$new" "$ROOT"
}

case ${1-} in
--path)
	[ -d "$ROOT" ] || fail "There is no MySQL in $ROOT (dev/mysql-root.sh makes it)"
	;;
'')
	if [ ! -d "$ROOT" ]; then
		[ "$(id -u)" = 0 ] || fail "making a root filesystem for MySQL 9 needs root"
		command -v debootstrap > /dev/null || fail "debootstrap is not installed"
		make_root
	fi
	;;
-h | --help)
	usage
	exit
	;;
*)
	usage >&2
	exit 2
	;;
esac
echo "$ROOT"
