# mesh.sh - builds the mesh, gives each service its keys and settings, and puts
# it under the supervisor. Sourced after supervise.sh.

# Sets PRODUCT, the folder with a product's own services or nothing, and SERVICES: Trellis's
# and then the product's, each in the order of the call graph, callees first.
choose_product() { # folder
	PRODUCT=
	unset TRELLIS_PRODUCT # which is no setting of the services
	if [ -n "$1" ]; then
		PRODUCT=$(readlink -e -- "$1") && [ -f "$PRODUCT/services/list" ] ||
			die "the product folder $1 has no services/list; tools/new-service --product $1 NAME RESOURCE makes one."
	fi
	SERVICES=$(grep -hvE '^(#|$)' "$TOP/services/list" ${PRODUCT:+"$PRODUCT/services/list"} | tr '\n' ' ')
	SERVICES=${SERVICES% }
}

# Sets MESH, what the services say of themselves, and of it PAIRS (a key each: caller and
# callee, or a reader of events and the teller), READS (who reads whose events without
# calling it: it has to find it), SCHEMAS, SEALS and SETTING_OF (a setting's name -> those
# in whose tables it stands). The operator's command has a key with each, and one with all
# in one.
declare -A SETTING_OF=()
read_mesh() { # build folder
	local name what of
	MESH=$("$(built "$1" all)" mesh --json) || die "the services do not fit together; the lines above say where."
	PAIRS='' READS='' SCHEMAS='' SEALS='' SETTING_OF=()
	while read -r what name of; do
		case $what in
		pair) PAIRS="$PAIRS $name" ;;
		read) READS="$READS $name" ;;
		schema) SCHEMAS="$SCHEMAS $name" ;;
		seal) SEALS="$SEALS $name" ;;
		setting) SETTING_OF[$name]="${SETTING_OF[$name]:- }$of " ;;
		esac
	done < <(jq -r '(.pairs[] | "pair " + join(":")), (.services[] | .name as $n |
		(.reads[] | "read \($n):\(.)"), (select(.schema) | "schema \($n)"),
		(select(.seals) | "seal \($n)"), (.settings[] | "setting \(.name) \($n)"))' <<<"$MESH")
	[ -n "$SCHEMAS" ] || die "what the services say of themselves cannot be read."
	for name in $SERVICES all; do PAIRS="$PAIRS ctl:$name"; done
}
is_in() { # word, words...
	local word=$1 one
	shift
	for one in "$@"; do [ "$one" != "$word" ] || return 0; done
	return 1
}

# Makes a build folder, or takes another product into it.
configure() { # folder, meson options...
	local folder=$1
	shift
	if [ ! -f "$folder/meson-info/meson-info.json" ]; then
		rm -rf "$folder"
		meson setup "$folder" "$TOP" -Dproduct="$PRODUCT" "$@"
	elif [ "$(jq -r '.[] | select(.name == "product").value' "$folder/meson-info/intro-buildoptions.json")" != "$PRODUCT" ]; then
		meson setup --reconfigure "$folder" "$TOP" -Dproduct="$PRODUCT"
	fi
}
build_mesh() { configure "$1" -Dbuildtype=debugoptimized && ninja -C "$1" programs; } # folder

# The executable of a service, or of the operator's command (ctl), inside a build
# folder, and what it is called where it is installed.
built() {
	case $2 in
	ctl) echo "$1/tools/ctl/trellis" ;;
	*) echo "$1/services/trellis-$2" ;;
	esac
}

# The programs that services of a build start (folders with a main.c in theirs). Where images
# take a build's place, they have their own.
programs_of() { # build folder
	[ ! -f "$1/folders.txt" ] || awk -F '\t' '$1 == "program" { print $3 }' "$1/folders.txt"
}

# Copies what changed into $RUN/bin, so that a build never pulls the text from
# under a running process.
install_binaries() { # build folder, names...
	local build=$1 name
	shift
	for name in "$@"; do
		local from to
		from=$(built "$build" "$name")
		to=$RUN/bin/$(basename "$from")
		[ -x "$from" ] || die "$from is missing after the build; remove the folder $build and run this again."
		as_user cmp -s - "$to" <"$from" || put "$to" 755 <"$from"
	done
}

# Whether a service runs with a binary that was replaced since, be it by a run of
# tools/up that came to no end.
runs_former_binary() { # name
	local pid
	pid=$(as_user s6-svstat -o pid "$RUN/scan/$1" 2>/dev/null) && is_number "$pid" || return 1
	[[ $(as_user readlink "/proc/$pid/exe") == *" (deleted)" ]]
}

# A key for each pair of services, and what seals. A key that is there is kept.
make_keys() {
	local missing
	# shellcheck disable=SC2016,SC2086
	missing=$(as_user sh -euc 'mkdir -p "$1"; chmod 700 "$1"; cd "$1"; shift
		for name; do [ -s "$name" ] || echo "$name"; done' keys "$RUN/keys" seal ${PAIRS//:/-})
	[ -n "$missing" ] || return 0
	# shellcheck disable=SC2016
	openssl rand -hex $((32 * $(wc -w <<<"$missing"))) | fold -w 64 | paste -d ' ' <(echo "$missing") - |
		as_user sh -euc 'umask 077; cd "$1"
			while read -r name key; do
				[ "$name" = seal ] || key=1:$key
				rm -f "$name.new"
				echo "$key" >"$name.new"
				mv -f "$name.new" "$name"
			done' keys "$RUN/keys"
}

# NAME=value lines of a service's environment. Ports: three for each service in the order
# of $SERVICES, for calls, notices and the ops endpoint.
service_env() { # name, tcp|tls
	local name=$1 scheme=$2 i=0 other pair key_of
	printf 'TRELLIS_PG_URL=%s\nTRELLIS_REDIS_URL=%s\nTRELLIS_RUN_DIR=%s\nTRELLIS_MAIL_FOLDER=%s\n' \
		"$PG_URL" "$REDIS_URL" "$RUN" "$RUN/mail"
	printf 'TRELLIS_NOTIFY_FD=3\nTRELLIS_HTTP_LISTEN=%s\n' "$HTTP_LISTEN"
	printf 'TRELLIS_PUBLIC_URL=http://%s\n' "${HTTP_LISTEN/#0.0.0.0:/127.0.0.1:}"
	! is_in "$name" $SEALS all || [ -n "${TRELLIS_SEAL_KEY:-}${TRELLIS_SEAL_KEY_FILE:-}" ] ||
		printf 'TRELLIS_SEAL_KEY_FILE=%s\n' "$RUN/keys/seal"
	for other in $SERVICES; do
		if [ "$other" = "$name" ] || [ "$name" = all ]; then
			printf 'TRELLIS_OPS_LISTEN_%s=127.0.0.1:%s\n' "${other^^}" $((BASE_PORT + i + 2))
			printf 'TRELLIS_LISTEN_%s=%s://127.0.0.1:%s\n' "${other^^}" "$scheme" $((BASE_PORT + i))
			[ "$name" = all ] || printf 'TRELLIS_NOTICE_LISTEN_%s=%s://127.0.0.1:%s\n' \
				"${other^^}" "$scheme" $((BASE_PORT + i + 1))
		fi
		for pair in $PAIRS; do
			[ "$name" != all ] || continue
			case $pair in
			"$name:$other")
				printf 'TRELLIS_PEER_%s=%s://127.0.0.1:%s\n' "${other^^}" "$scheme" $((BASE_PORT + i))
				printf 'TRELLIS_BUS_KEY_%s_FILE=%s\n' "${other^^}" "$RUN/keys/$name-$other"
				;;
			"$other:$name")
				! is_in "$name:$other" $READS ||
					printf 'TRELLIS_PEER_%s=%s://127.0.0.1:%s\n' "${other^^}" "$scheme" $((BASE_PORT + i))
				printf 'TRELLIS_BUS_KEY_%s_FILE=%s\n' "${other^^}" "$RUN/keys/$other-$name"
				;;
			esac
		done
		i=$((i + 3))
	done
	printf 'TRELLIS_BUS_KEY_CTL_FILE=%s\n' "$RUN/keys/ctl-$name"
	tls_env "$scheme"
	callers_env "$name"
}

# What the caller set, but for what is another service's, such as its secrets. What no
# service knows goes to each, to be refused. The administrator's URL goes to none.
callers_env() { # name
	local own of
	for own in $(compgen -e TRELLIS_); do
		case $own in
		TRELLIS_PG_ADMIN_URL | TRELLIS_PG_URL | TRELLIS_REDIS_URL | TRELLIS_RUN_DIR | TRELLIS_HTTP_LISTEN | TRELLIS_TEST_*) continue ;;
		TRELLIS_SEAL_KEY | TRELLIS_SEAL_KEY_FILE) is_in "$1" $SEALS all || continue ;;
		TRELLIS_PG_URL_*)
			[ "$1" = all ] || [[ ${own%_FILE} =~ ^TRELLIS_PG_URL_${1^^}(_SYS)?$ ]] ||
				! is_in "$(sed 's/^TRELLIS_PG_URL_//; s/_FILE$//; s/_SYS$//' <<<"$own")" ${SERVICES^^} || continue
			;;
		esac
		of=${SETTING_OF[${own%_FILE}]:-}
		[ "$1" = all ] || [ -z "$of" ] || [[ $of == *" $1 "* ]] || continue
		printf '%s=%s\n' "$own" "${!own}"
	done
}

tls_env() { # tcp|tls+tcp
	[ "$1" = tls+tcp ] || return 0
	printf 'TRELLIS_BUS_TLS_CA_FILE=%s\nTRELLIS_BUS_TLS_CERT_FILE=%s\nTRELLIS_BUS_TLS_KEY_FILE=%s\n' \
		"$RUN/keys/ca.crt" "$RUN/keys/bus.crt" "$RUN/keys/bus.key"
}

# $RUN/env/ctl: where the operator's command finds the services, and by what keys it
# is accepted. For root and the user of the mesh only.
ctl_define() { ctl_env "$@" | put "$RUN/env/ctl" 600; }
ctl_env() { # tcp|tls+tcp, names...
	local scheme=$1 other i=0 key
	shift
	for other in $SERVICES; do
		key=$other
		[ "$*" != all ] || key=all
		printf 'TRELLIS_PEER_%s=%s://127.0.0.1:%s\nTRELLIS_BUS_KEY_%s_FILE=%s\n' \
			"${other^^}" "$scheme" $((BASE_PORT + i)) "${other^^}" "$RUN/keys/ctl-$key"
		i=$((i + 3))
	done
	tls_env "$scheme"
}

# The service upkeep: `<service> maintain` when it starts, then it waits for a day and
# ends, and the supervisor starts it again. Only it keeps the administrator's URL.
upkeep_define() { # scheme, names...
	local scheme=$1 name
	shift
	{
		printf '#!/bin/sh\nexec 2>&1\nprintf "\\n" >&3\nexec 3>&-\nwait=86400\n'
		for name in "$@"; do
			is_in "$name" $SCHEMAS all || continue
			printf '(\n'
			service_env "$name" "$scheme" | exports
			printf 'TRELLIS_PG_ADMIN_URL=%s\n' "$ADMIN_URL" | exports
			printf 'exec "%s" maintain\n) || { echo "upkeep of %s failed; again in ten minutes"; wait=600; }\n' \
				"$RUN/bin/trellis-$name" "$name"
		done
		printf 'exec sleep $wait\n'
	} | service_define upkeep
	as_user chmod 700 "$RUN/scan/upkeep/run"
}

# Lines NAME=value as lines of a shell.
exports() { sed "s/'/'\\\\''/g; s/=/='/; s/\$/'/; s/^/export /"; }

# The certificate stands in it by its checksum, so that a new one is a change.
mesh_define() { # name, scheme
	local name=$1 env bound=
	[ "$2" != tls+tcp ] || bound="# certificate $(as_user cat "$RUN/keys/bus.crt" | cksum)"
	env=$(service_env "$@" | exports)
	service_define "$name" <<-END
		#!/bin/sh
		exec 2>&1
		$bound
		$(printf '%s\n' "$env" | sed '2,$s/^/\t\t/' | sed 's/^\t*//')
		exec "$RUN/bin/trellis-$name"
	END
}

# lend SERVICE NAME VALUE - has a service run with a setting that nobody has set, until
# take_back: for a story that needs it. It is started anew; $LENT says for whom it was.
declare -A LENT_RUNS=()
lend() {
	local run
	LENT=$1
	as_user test -d "$RUN/scan/$LENT" || LENT=all
	run=$(as_user cat "$RUN/scan/$LENT/run") || return 1
	! grep -q "^export $2=" <<<"$run" || { LENT=; return 0; }
	[ -n "${LENT_RUNS[$LENT]:-}" ] || LENT_RUNS[$LENT]=$run
	sed "/^exec \"/i export $2='$3'" <<<"$run" | put "$RUN/scan/$LENT/run" 700
	as_user s6-svc -wR -T 60000 -r "$RUN/scan/$LENT"
}
take_back() {
	local at
	for at in "${!LENT_RUNS[@]}"; do
		put "$RUN/scan/$at/run" 700 <<<"${LENT_RUNS[$at]}"
		as_user s6-svc -wR -T 60000 -r "$RUN/scan/$at" || true
	done
}

# Whether what a service would be started with differs from what it runs with.
mesh_changed() { # name, the previous run script
	[ "$(as_user cat "$RUN/scan/$1/run" 2>/dev/null)" != "$2" ]
}

# Asks each service whether it would start with its settings, before anything is
# stopped for them; all that is wrong is said at once.
check_settings() { # build folder, scheme, names...
	local build=$1 scheme=$2 name said settings wrong=
	shift 2
	for name in "$@"; do
		mapfile -t settings < <(service_env "$name" "$scheme")
		said=$(env -i "${settings[@]}" "$(built "$build" "$name")" --check-config 2>&1) ||
			wrong=$wrong${said:-"$name refuses its settings."}$'\n'
	done
	[ -z "$wrong" ] || die "these settings cannot be used; fix them and run this again (what is running was left as it is):
$(sort -u <<<"${wrong%$'\n'}" | sed 's/^/  /')"
}

port_taken() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

# Whether so many ports from this base on are free.
ports_free() { # base, count
	local i
	for i in $(seq 0 $(($2 - 1))); do
		! port_taken 127.0.0.1 $(($1 + i)) || return 1
	done
}

# Whether any of the mesh's own services is up.
mesh_runs() {
	local name
	scan_running || return 1
	for name in $SERVICES all; do
		! service_up "$name" || return 0
	done
	return 1
}

# choose_port_block FILE RUNS COUNT FIRST LAST - says the first of so many ports: the one
# kept in the file, and another, of FIRST, FIRST + 100 ... LAST, where another program has
# taken one while those who use them were down.
choose_port_block() {
	local base
	base=$(as_user cat "$1" 2>/dev/null) || true
	if is_number "$base" && [ "$base" -ge 1024 ] && [ "$base" -le 65500 ]; then
		! { "$2" || ports_free "$base" "$3"; } || { echo "$base"; return 0; }
	fi
	for base in $(seq "$4" 100 "$5"); do
		ports_free "$base" "$3" || continue
		echo "$base" | put "$1" 644
		echo "$base"
		return 0
	done
	return 1
}

choose_ports() {
	BASE_PORT=$(choose_port_block "$RUN/ports" mesh_runs $((3 * $(wc -w <<<"$SERVICES"))) 7100 9900) ||
		die "no free ports between 7100 and 9999 on 127.0.0.1 for the services; stop what uses them, or write a base port into $RUN/ports."
}

# Where the mesh in $RUN listens, or listened last.
told_listen() {
	local name listen
	for name in edge all; do
		listen=$(as_user sed -n "s/^export TRELLIS_HTTP_LISTEN='\(.*\)'\$/\1/p" "$RUN/scan/$name/run" 2>/dev/null) || continue
		[[ ! $listen =~ ^(\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+|\*):[0-9]{1,5}$ ]] || echo "$listen"
		return 0
	done
}

# Where HTTP is found: what the caller asks for, else what the mesh in $RUN has.
find_http() {
	HTTP_LISTEN=${TRELLIS_HTTP_LISTEN:-$(told_listen)}
	HTTP_LISTEN=${HTTP_LISTEN:-127.0.0.1:8080}
}

# Whether the mesh that is up, ready or not, is the one that has the HTTP address.
listens_here() {
	scan_running || return 1
	[ "$(told_listen)" = "$HTTP_LISTEN" ] && { service_up edge || service_up all; }
}

http_taken() { # address:port
	local host=${1%:*}
	case $host in 0.0.0.0 | '*') host=127.0.0.1 ;; esac
	host=${host#[} host=${host%]}
	port_taken "$host" "${1##*:}"
}

# Sets HTTP_LISTEN. An address that somebody asked for is had or refused; else another
# port is looked for where another program has it.
choose_http() {
	local host port first
	find_http
	host=${HTTP_LISTEN%:*} port=${HTTP_LISTEN##*:}
	[[ $HTTP_LISTEN == *:* && $port =~ ^[0-9]{1,5}$ && 10#$port -le 65535 ]] ||
		die "TRELLIS_HTTP_LISTEN=$HTTP_LISTEN is not address:port, such as 127.0.0.1:8080."
	[ -n "$host" ] ||
		die "TRELLIS_HTTP_LISTEN=$HTTP_LISTEN has no address before the port; write 127.0.0.1:$port for this machine only, or 0.0.0.0:$port for every network it is on."
	first=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null || echo 1024)
	[ "$port" -ge "$first" ] || [ "$port" = 0 ] ||
		die "TRELLIS_HTTP_LISTEN=$HTTP_LISTEN: ports below $first are for root only, and Trellis does not run as root; take one from $first on, and let a proxy in front take port $port."
	if listens_here || ! http_taken "$HTTP_LISTEN"; then return 0; fi
	[ -z "${TRELLIS_HTTP_LISTEN:-}" ] ||
		die "$HTTP_LISTEN is in use by another program; stop it, or choose another address: TRELLIS_HTTP_LISTEN=127.0.0.1:8081 tools/up"
	for port in $(seq 8080 8199); do
		! http_taken "127.0.0.1:$port" || continue
		HTTP_LISTEN=127.0.0.1:$port
		return 0
	done
	die "no free port between 8080 and 8199 on 127.0.0.1; choose an address: TRELLIS_HTTP_LISTEN=127.0.0.1:9000 tools/up"
}

# Sum of Pss of the mesh's processes in KiB, and their number.
mesh_memory() {
	local name pid
	for name in "$@"; do
		pid=$(as_user s6-svstat -o pid "$RUN/scan/$name" 2>/dev/null) && is_number "$pid" || continue
		as_user grep -s '^Pss:' "/proc/$pid/smaps_rollup" || true
	done | awk '{ sum += $2; n++ } END { print sum + 0, n + 0 }'
}
