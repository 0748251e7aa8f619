# packages.sh - the Debian packages Trellis is built with and runs on. Sourced.

# Names with a version in them, by release: Debian 12's, else Debian 13's. Sources are
# formatted as clang-format 14 does it, which Debian 13 has not; no other does the same.
# shellcheck disable=SC1091
case $(. /etc/os-release && printf '%s' "${VERSION_ID:-}") in
12) PACKAGES_OF_RELEASE="postgresql-15 libuv1 libhiredis0.14 libcurl4 libssl3 libvips42 libmagic1" LLVM=14 FORMATTER=clang-format-14 ;;
*) PACKAGES_OF_RELEASE="postgresql-17 libuv1t64 libhiredis1.1.0 libcurl4t64 libssl3t64 libvips42t64 libmagic1t64" LLVM=19 FORMATTER= ;;
esac
# What trellis-pdf draws with: every script that Noto has.
PACKAGES_FONTS="fontconfig fonts-noto-core fonts-noto-cjk"
PACKAGES_RUN="procps redis-server s6 curl jq openssl libprotobuf-c1 libpq5
libjansson4 libsodium23 libuuid1 zlib1g libnng1 ca-certificates tzdata libpangocairo-1.0-0
$PACKAGES_FONTS $PACKAGES_OF_RELEASE"
PACKAGES_BUILD="gcc libc6-dev meson ninja-build pkg-config protobuf-compiler protobuf-c-compiler
libprotobuf-dev libprotobuf-c-dev python3-protobuf libnng-dev libuv1-dev libpq-dev libhiredis-dev
libjansson-dev libsodium-dev libssl-dev libvips-dev libmagic-dev libpango1.0-dev uuid-dev zlib1g-dev libcurl4-openssl-dev libcmocka-dev python3"
# Whoever has a node has its npm.
PACKAGES_NPM=
command -v node >/dev/null || PACKAGES_NPM="nodejs npm"
# Media's: an S3 server that checks signatures and a client that signs, a scanner, what reads
# a picture's metadata.
PACKAGES_MEDIA="swift-proxy swift-account swift-container swift-object python3-boto3
clamav-daemon libimage-exiftool-perl"
PACKAGES_TEST="$PACKAGES_MEDIA mount hledger poppler-utils pgbouncer prometheus python3-aiosmtpd binutils clang lld libclang-rt-$LLVM-dev $FORMATTER $PACKAGES_NPM"
PACKAGES_OBSERVE="prometheus prometheus-alertmanager prometheus-blackbox-exporter
prometheus-node-exporter prometheus-postgres-exporter prometheus-redis-exporter python3-yaml"
# tests/k8s has models from npm and renders a chart by Go.
PACKAGES_K8S="golang-go golang-github-masterminds-sprig-dev iproute2 iptables $PACKAGES_NPM"
PACKAGES_DEBIAN13="mmdebstrap debian-archive-keyring"
PACKAGES_IMAGES="umoci python3-yaml"
PACKAGES_BENCH="libvips-tools wrk nodejs npm nats-server libnats-dev nginx"

# need_packages NAME... - installs those that are missing, or says how.
need_packages() {
	local missing
	missing=$({ dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true; } |
		awk '$1 == "installed" { print $2 }' | sort -u |
		comm -13 - <(printf '%s\n' "$@" | sort -u) | tr '\n' ' ')
	[ -n "${missing// /}" ] || return 0
	is_root || die "these Debian packages are missing; install them and run this again:
  sudo apt-get install --no-install-recommends -y $missing"
	command -v apt-get >/dev/null ||
		die "these Debian packages are missing and there is no apt-get here: $missing"
	# shellcheck disable=SC2086
	step "Installing packages" apt_install $missing
}

# Installs without letting the packages start system services: ours are private. What an
# installation that was cut off left behind is finished first.
apt_install() {
	local status=0 policy=/usr/sbin/policy-rc.d
	export DEBIAN_FRONTEND=noninteractive
	if [ ! -e $policy ] || grep -qsx '# until Trellis has its packages' $policy; then
		printf '#!/bin/sh\n# until Trellis has its packages\nexit 101\n' >$policy
		chmod 755 $policy
	else
		policy=
	fi
	mkdir -p /etc/postgresql-common
	[ -e /etc/postgresql-common/createcluster.conf ] ||
		printf 'create_main_cluster = false\n' >/etc/postgresql-common/createcluster.conf
	dpkg --configure -a &&
		{ apt-get install -y --no-install-recommends "$@" ||
			{ apt-get update && apt-get install -y --no-install-recommends "$@"; }; } || status=$?
	[ -z "$policy" ] || rm -f "$policy"
	return "$status"
}
