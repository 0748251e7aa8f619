# shellcheck shell=bash
# debian13.sh - a root of Debian 13 on whatever Debian this machine has, for what is built
# or tried there. Sourced after base.sh and packages.sh; root only.
#
# Sources are those of this machine's apt with another suite. Packages that were fetched
# are kept in DEBIAN13_CACHE, or nowhere where that is empty.

DEBIAN13_CACHE=${DEBIAN13_CACHE-/var/cache/trellis-debian13}

# Lines of sources.list, from where this machine gets Debian, and its security updates.
debian13_sources() {
	local found
	found=$(debian_mirrors)
	if [ -z "$found" ]; then # its lists were thrown away, as in images
		apt-get update -qq >&2 || true
		found=$(debian_mirrors)
	fi
	[ -n "$found" ] || die "apt on this machine knows no source of Debian; see /etc/apt/sources.list."
	awk -F '\t' '$1 == "Debian" { print "deb", $2, "trixie main"; print "deb", $2, "trixie-updates main" }
		$1 == "Debian-Security" { print "deb", $2, "trixie-security main" }' <<<"$found"
}
debian_mirrors() {
	apt-get indextargets --format '$(LABEL)	$(REPO_URI)' 'Identifier: Packages' 'Origin: Debian' | sort -u
}

# debian13_root FOLDER [PACKAGE...] - makes it: what is essential, apt, and the packages.
debian13_root() {
	local folder=$1 args=()
	shift
	is_root || die "a root of Debian 13 is made and entered by root only."
	if [ -n "$DEBIAN13_CACHE" ]; then
		mkdir -p "$DEBIAN13_CACHE"
		# shellcheck disable=SC2016
		args=(--skip=download/empty --skip=essential/unlink --skip=cleanup/apt/cache
			--setup-hook='mkdir -p "$1/var/cache/apt/archives/partial"'
			--setup-hook="find '$DEBIAN13_CACHE' -name '*.deb' -exec cp -t \"\$1/var/cache/apt/archives\" {} +")
	fi
	debian13_sources >"$folder.list"
	mmdebstrap --quiet --variant=apt --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		"${args[@]}" ${*:+--include="$*"} trixie "$folder" "$folder.list"
	rm -f "$folder.list"
	debian13_keep "$folder"
}

# What was fetched there is kept here. Whole or not at all, for another may be reading.
debian13_keep() { # folder
	local deb
	[ -n "$DEBIAN13_CACHE" ] || return 0
	for deb in "$1"/var/cache/apt/archives/*.deb; do
		[ -e "$deb" ] && [ ! -e "$DEBIAN13_CACHE/${deb##*/}" ] || continue
		cp "$deb" "$DEBIAN13_CACHE/.$$.new" && mv "$DEBIAN13_CACHE/.$$.new" "$DEBIAN13_CACHE/${deb##*/}"
	done
}

# debian13_in FOLDER command... - runs it there as root, and ends with it whatever it
# started. The root is a mount, as every machine's is: some look. It has this machine's
# network, and reaches npm as this machine does: through its proxy, if any, and believing
# whom it believes, for such a proxy may have an authority of its own.
debian13_in() {
	# shellcheck disable=SC2016
	local status=0 name set=()
	for name in http_proxy https_proxy no_proxy npm_config_registry SOURCE_DATE_EPOCH; do
		[ -z "${!name:-}" ] || set+=("$name=${!name}")
	done
	if cat "${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" >"$1/run/believed.crt" 2>/dev/null; then
		set+=(NODE_EXTRA_CA_CERTS=/run/believed.crt)
	fi
	unshare --mount --pid --fork --kill-child --propagation private sh -ec '
		mount --bind "$1" "$1"
		mount -t proc proc "$1/proc"
		mount --rbind /sys "$1/sys"
		mount --rbind /dev "$1/dev"
		cat /etc/resolv.conf >"$1/etc/resolv.conf"
		cat /etc/hosts >"$1/etc/hosts"
		root=$1
		shift
		exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
			chroot "$root" env "$@"' sh "$1" "${set[@]}" "${@:2}" || status=$?
	debian13_keep "$1"
	return $status
}
