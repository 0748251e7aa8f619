# mesh.sh - builds the mesh, gives each service its keys and settings, and puts
# it under the supervisor. Sourced after supervise.sh.

SERVICES="auth tenants notify edge" # in the order of the DAG: callees first
PAIRS="edge:auth edge:tenants edge:notify tenants:auth notify:auth notify:tenants"
# Who reads events of a service that calls it finds it too, and has its key already.
READS="tenants:notify"
# The operator's command has a key with each service, and one with all in one process.
for name in $SERVICES all; do PAIRS="$PAIRS ctl:$name"; done

build_mesh() { # folder
	if [ ! -f "$1/meson-info/meson-info.json" ]; then
		rm -rf "$1"
		meson setup "$1" "$TOP" -Dbuildtype=debugoptimized || return 1
	fi
	ninja -C "$1"
}

# The executable of a service, or of the operator's command (ctl), inside a build
# folder, and what it is called where it is installed.
built() {
	case $2 in
	ctl) echo "$1/tools/ctl/trellis" ;;
	*) echo "$1/services/trellis-$2" ;;
	esac
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
		if ! cmp -s "$from" "$to"; then
			install -m 755 "$from" "$to.new"
			if is_root; then chown "$RUN_USER:$RUN_USER" "$to.new"; fi
			mv "$to.new" "$to"
		fi
	done
}

# Whether a service runs with a binary that was replaced since, be it by a run of
# tools/up that came to no end.
runs_former_binary() { # name
	local pid
	pid=$(as_user s6-svstat -o pid "$RUN/scan/$1" 2>/dev/null) || return 1
	[[ $(readlink "/proc/$pid/exe") == *" (deleted)" ]]
}

# A key per pair of services, derived from one root key that stays in $RUN/keys.
make_keys() {
	local pair a b dir=$RUN/keys
	as_user mkdir -p "$dir"
	as_user chmod 700 "$dir"
	[ -f "$dir/root" ] || openssl rand -hex 32 | as_user tee "$dir/root" >/dev/null
	[ -f "$dir/seal" ] || openssl rand -hex 32 | as_user tee "$dir/seal" >/dev/null
	for pair in $PAIRS; do
		a=${pair%:*} b=${pair#*:}
		[ -f "$dir/$a-$b" ] || printf '1:%s\n' "$(printf 'trellis bus %s' "$pair" |
			openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(cat "$dir/root")" | awk '{ print $NF }')" |
			as_user tee "$dir/$a-$b" >/dev/null
	done
	as_user chmod -R go= "$dir"
}

upper() { printf '%s' "$1" | tr a-z A-Z; }

# NAME=value lines of a service's environment. Ports: base for calls, +10 for
# notices, +20 for the ops endpoint, in the order of $SERVICES.
service_env() { # name, tcp|tls
	local name=$1 scheme=$2 i=0 other pair key_of
	printf 'TRELLIS_PG_URL=%s\nTRELLIS_REDIS_URL=%s\nTRELLIS_RUN_DIR=%s\nTRELLIS_MAIL_FOLDER=%s\n' \
		"$PG_URL" "$REDIS_URL" "$RUN" "$RUN/mail"
	printf 'TRELLIS_SEAL_KEY_FILE=%s\nTRELLIS_NOTIFY_FD=3\n' "$RUN/keys/seal"
	# Who develops here has his receivers here.
	printf 'TRELLIS_WEBHOOK_ALLOW_CIDRS=127.0.0.0/8\n'
	printf 'TRELLIS_PUBLIC_URL=http://%s\n' "$(http_listen | sed 's/^0\.0\.0\.0:/127.0.0.1:/')"
	for other in $SERVICES; do
		if [ "$other" = "$name" ] || [ "$name" = all ]; then
			printf 'TRELLIS_OPS_LISTEN_%s=127.0.0.1:%s\n' "$(upper "$other")" $((BASE_PORT + 20 + i))
			printf 'TRELLIS_LISTEN_%s=%s://127.0.0.1:%s\n' "$(upper "$other")" "$scheme" $((BASE_PORT + i))
			[ "$name" = all ] || printf 'TRELLIS_NOTICE_LISTEN_%s=%s://127.0.0.1:%s\n' \
				"$(upper "$other")" "$scheme" $((BASE_PORT + 10 + i))
		fi
		for pair in $PAIRS; do
			[ "$name" != all ] || continue
			case $pair in
			"$name:$other")
				printf 'TRELLIS_PEER_%s=%s://127.0.0.1:%s\n' "$(upper "$other")" "$scheme" $((BASE_PORT + i))
				printf 'TRELLIS_BUS_KEY_%s_FILE=%s\n' "$(upper "$other")" "$RUN/keys/$name-$other"
				;;
			"$other:$name")
				[[ " $READS " != *" $name:$other "* ]] ||
					printf 'TRELLIS_PEER_%s=%s://127.0.0.1:%s\n' "$(upper "$other")" "$scheme" $((BASE_PORT + i))
				printf 'TRELLIS_BUS_KEY_%s_FILE=%s\n' "$(upper "$other")" "$RUN/keys/$other-$name"
				;;
			esac
		done
		i=$((i + 1))
	done
	printf 'TRELLIS_BUS_KEY_CTL_FILE=%s\n' "$RUN/keys/ctl-$name"
	tls_env "$scheme"
	# What the caller set goes to every service; the administrator's URL to none.
	env | grep '^TRELLIS_' | grep -vE '^TRELLIS_(PG_ADMIN_URL|PG_URL|REDIS_URL|RUN_DIR|TEST_[A-Z_]*)=' || true
}

tls_env() { # tcp|tls+tcp
	[ "$1" = tls+tcp ] || return 0
	printf 'TRELLIS_BUS_TLS_CA_FILE=%s\nTRELLIS_BUS_TLS_CERT_FILE=%s\nTRELLIS_BUS_TLS_KEY_FILE=%s\n' \
		"$RUN/keys/ca.crt" "$RUN/keys/bus.crt" "$RUN/keys/bus.key"
}

# $RUN/env/ctl: where the operator's command finds the services, and by what keys it
# is believed. For root and the user of the mesh alone.
ctl_define() { # tcp|tls+tcp, names...
	local scheme=$1 other i=0 key
	shift
	for other in $SERVICES; do
		key=$other
		[ "$*" != all ] || key=all
		printf 'TRELLIS_PEER_%s=%s://127.0.0.1:%s\nTRELLIS_BUS_KEY_%s_FILE=%s\n' \
			"$(upper "$other")" "$scheme" $((BASE_PORT + i)) "$(upper "$other")" "$RUN/keys/ctl-$key"
		i=$((i + 1))
	done >"$RUN/env/ctl.new"
	tls_env "$scheme" >>"$RUN/env/ctl.new"
	chmod 600 "$RUN/env/ctl.new"
	if is_root; then chown "$RUN_USER:$RUN_USER" "$RUN/env/ctl.new"; fi
	mv "$RUN/env/ctl.new" "$RUN/env/ctl"
}

# The service upkeep: `<service> maintain` when it starts, then it waits for a day and
# ends, and the supervisor starts it again. It alone keeps the administrator's URL.
upkeep_define() { # scheme, names...
	local scheme=$1 name
	shift
	{
		printf '#!/bin/sh\nexec 2>&1\nprintf "\\n" >&3\nexec 3>&-\nwait=86400\n'
		for name in "$@"; do
			[ "$name" != edge ] || continue
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
	[ "$2" != tls+tcp ] || bound="# certificate $(cksum <"$RUN/keys/bus.crt")"
	env=$(service_env "$@" | sed "s/'/'\\\\''/g; s/=/='/; s/\$/'/; s/^/export /")
	service_define "$name" <<-END
		#!/bin/sh
		exec 2>&1
		$bound
		$(printf '%s\n' "$env" | sed '2,$s/^/\t\t/' | sed 's/^\t*//')
		exec "$RUN/bin/trellis-$name"
	END
}

# Whether what a service would be started with differs from what it runs with.
mesh_changed() { # name, file with the previous run script
	! cmp -s "$RUN/scan/$1/run" "$2"
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
	[ -z "$wrong" ] || die "these settings cannot be used; mend them and run this again (what runs was left as it is):
$(sort -u <<<"${wrong%$'\n'}" | sed 's/^/  /')"
}

http_listen() { printf '%s' "${TRELLIS_HTTP_LISTEN:-127.0.0.1:8080}"; }

port_taken() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

# Whether all ports that the services would take from this base on are free.
ports_free() { # base
	local i n
	n=$(wc -w <<<"$SERVICES")
	for i in $(seq 0 $((n - 1))); do
		! port_taken 127.0.0.1 $(($1 + i)) || return 1
		! port_taken 127.0.0.1 $(($1 + 10 + i)) || return 1
		! port_taken 127.0.0.1 $(($1 + 20 + i)) || return 1
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

# The first port of the mesh's own, kept in $RUN/ports, and chosen anew where another
# program has taken one while the mesh was down.
choose_ports() {
	local base
	if [ -f "$RUN/ports" ]; then
		BASE_PORT=$(cat "$RUN/ports")
		! mesh_runs && ! ports_free "$BASE_PORT" || return 0
	fi
	for base in $(seq 7100 40 9980); do
		ports_free "$base" || continue
		echo "$base" | as_user tee "$RUN/ports" >/dev/null
		BASE_PORT=$base
		return 0
	done
	die "no free ports between 7100 and 9999 on 127.0.0.1 for the services; stop what uses them, or write a base port into $RUN/ports."
}

# Whether the mesh that is up, ready or not, is the one that has the HTTP address.
listens_here() {
	local name listen
	scan_running || return 1
	for name in edge all; do
		service_up "$name" || continue
		listen=$(sed -n "s/^export TRELLIS_HTTP_LISTEN='\(.*\)'\$/\1/p" "$RUN/scan/$name/run")
		[ "${listen:-127.0.0.1:8080}" != "$(http_listen)" ] || return 0
	done
	return 1
}

check_http_port() {
	local listen host port
	listen=$(http_listen)
	host=${listen%:*} port=${listen##*:}
	[[ $host != "$listen" && $port =~ ^[0-9]{1,5}$ && 10#$port -le 65535 ]] ||
		die "TRELLIS_HTTP_LISTEN=$listen is not address:port, such as 127.0.0.1:8080."
	[ "$host" != 0.0.0.0 ] || host=127.0.0.1
	if port_taken "$host" "$port"; then
		die "$listen is in use by another program; stop it, or choose another address: TRELLIS_HTTP_LISTEN=127.0.0.1:8081 tools/up"
	fi
}

# Sum of Pss of the mesh's processes in KiB, and their number.
mesh_memory() {
	local pids pid sum=0 n=0 pss
	pids=$(for s in "$@"; do as_user s6-svstat -o pid "$RUN/scan/$s" 2>/dev/null; done)
	for pid in $pids; do
		[ "$pid" -gt 0 ] || continue
		pss=$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup" 2>/dev/null) || continue
		sum=$((sum + pss)) n=$((n + 1))
	done
	echo "$sum $n"
}
