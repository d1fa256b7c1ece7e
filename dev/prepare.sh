#!/bin/sh
# Makes a Debian machine and this checkout ready: packages, configure, programs.
set -eu
cd "$(dirname "$0")/.."
top=$PWD

TOOLS="gcc make libc6-dev autoconf automake pkg-config python3 python3-yaml curl"
LIBRARIES="libfcgi-dev libmariadb-dev uuid-dev libcurl4-openssl-dev libssl-dev
	libsystemd-dev libcmocka-dev g++ libphonenumber-dev"
DASHBOARD="esbuild node-react node-react-dom node-d3-scale node-d3-shape node-d3-time"
SERVERS="mariadb-server-core mariadb-client-core openssl nginx tzdata"

usage() {
	cat <<'END'
Usage: dev/prepare.sh [--with PACKAGE]... [FOLDER [CONFIGURE-OPTION]...]

Installs the Debian packages that Outdial needs and this machine lacks (with apt-get, as root or
through sudo), then builds the programs and the tests in FOLDER (default: build).
--with PACKAGE installs that package too.
END
}

fail() {
	echo "prepare: $*" >&2
	exit 1
}

say() {
	echo "==> $*"
}

missing_packages() {
	for package in "$@"; do
		case $(dpkg-query -W -f '${Status}' "$package" 2> /dev/null) in
		*' ok installed') ;;
		*) echo "$package" ;;
		esac
	done
}

# Packages with a service start it on installation. We run servers of our own, so policy-rc.d tells Debian to start
# none. A policy-rc.d that exists already is kept.
without_services() {
	policy=/usr/sbin/policy-rc.d
	if [ -e $policy ]; then
		"$@"
		return
	fi
	trap '$root rm -f $policy' EXIT
	trap 'exit 130' INT TERM
	printf '#!/bin/sh\nexit 101\n' | $root tee $policy > /dev/null
	$root chmod 755 $policy
	"$@"
	$root rm -f $policy
	trap - EXIT INT TERM
}

apt() {
	echo "+ apt-get $*" >> "$log"
	$root env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >> "$log" 2>&1 || {
		grep -E '^(E|Err|W):' "$log" | tail -n 3 >&2
		fail "apt-get $1 failed; all it said is in $log. Missing: $packages"
	}
}

install_packages() {
	packages=$(missing_packages "$@" | tr '\n' ' ')
	[ -n "$packages" ] || return 0
	command -v apt-get > /dev/null ||
		fail "this is no Debian system. Install what these packages of Debian hold: $packages"
	if [ "$(id -u)" = 0 ]; then
		root=
	elif command -v sudo > /dev/null; then
		root=sudo
	else
		fail "packages are missing. As root: apt-get install --no-install-recommends $packages"
	fi
	log=$top/build/packages.log
	say "Installing Debian packages${root:+ with sudo}: $packages"
	echo "    (this may take some minutes; the details go to $log)"
	apt update
	# shellcheck disable=SC2086 # one word per package
	without_services apt install -y --no-install-recommends $packages
}

# The output is shown only after a failure; a build that succeeds is one line.
quietly() {
	log=$top/$folder/prepare.log
	if ! "$@" > "$log" 2>&1; then
		{ grep -E -A 4 '(error|Error|ERROR|[*][*][*])' "$log" || tail -n 20 "$log"; } | head -n 40 >&2
		fail "'$*' failed; all it said is in $log"
	fi
}

build() {
	mkdir -p "$folder"
	if [ ! -x configure ]; then # make sees to it when configure.ac or Makefile.am change
		quietly autoreconf --install
	fi
	cd "$folder"
	# What was configured before there was esbuild leaves the dashboard out: it is configured once more.
	grep -q '^ac_cv_path_ESBUILD=/' config.log 2> /dev/null || rm -f Makefile
	if [ ! -f Makefile ]; then
		quietly ../configure "$@"
	fi
	# check with an empty list of tests builds the tests and runs none
	quietly make -j"$(nproc)" all
	quietly make -j"$(nproc)" check TESTS=
}

extra=
while [ $# -gt 0 ]; do
	case $1 in
	--with) extra="$extra ${2:?--with needs the name of a package}" && shift 2 ;;
	-h | --help) usage && exit ;;
	-*) usage >&2 && exit 2 ;;
	*) break ;;
	esac
done
case $top in
*[!A-Za-z0-9/._+@,=-]*) fail "make cannot build in a folder of this name: $top" ;;
esac

[ -w . ] || fail "this folder cannot be written to by $(id -un): $top"
# Only one runs at a time: a second ./run or ./check waits here.
mkdir -p build
exec 9> build/.lock
flock 9

# Older names of time zones, where they are a package of their own (Debian 13).
if apt-cache show tzdata-legacy > /dev/null 2>&1; then
	SERVERS="$SERVERS tzdata-legacy"
fi
# shellcheck disable=SC2086 # lists of words
install_packages $TOOLS $LIBRARIES $DASHBOARD $SERVERS $extra
folder=${1:-build}
[ $# = 0 ] || shift
say "Building in $folder"
build "$@"
