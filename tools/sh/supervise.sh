# supervise.sh - a tree of s6 services under $RUN: PostgreSQL, Redis and the mesh.
# Sourced after choose_run_dir.
#
# $RUN/scan/NAME is a service's folder (run, notification-fd, log/run), $RUN/log/NAME
# its rotated log, $RUN/env/NAME what its environment adds to $RUN/env/all.

PG_BIN=/usr/lib/postgresql/15/bin

scan_running() { [ -d "$RUN/scan/.s6-svscan" ] && as_user s6-svscanctl -z "$RUN/scan" 2>/dev/null; }

# What an earlier run defined is not started with the supervisor, but by services_start
# once it is defined anew; and what it said of its services is said by nobody any more.
scan_start() {
	local name
	as_user mkdir -p "$RUN/scan" "$RUN/log" "$RUN/env" "$RUN/bin"
	scan_running && return 0
	for name in $(service_names); do
		as_user touch "$RUN/scan/$name/down"
		as_user rm -f "$RUN/scan/$name/supervise/status"
	done
	(
		cd "$RUN"
		as_user env -i PATH="$PATH" LANG=C.UTF-8 setsid s6-svscan -t 0 "$RUN/scan" \
			</dev/null >>"$RUN/log/svscan" 2>&1 &
	)
	wait_until 5 "supervisor" scan_running ||
		die "the supervisor (s6-svscan) did not start; see $RUN/log/svscan."
}

# service_define NAME [down-signal] < run-script
service_define() {
	local dir=$RUN/scan/$1
	as_user mkdir -p "$dir/log" "$RUN/log/$1" "$RUN/env"
	as_user tee "$dir/run.new" >/dev/null
	as_user chmod 755 "$dir/run.new"
	as_user mv "$dir/run.new" "$dir/run"
	echo 3 | as_user tee "$dir/notification-fd" >/dev/null
	echo 30000 | as_user tee "$dir/timeout-kill" >/dev/null
	[ -z "${2:-}" ] || echo "$2" | as_user tee "$dir/down-signal" >/dev/null
	printf '#!/bin/sh\nexec s6-log n10 s1000000 "%s"\n' "$RUN/log/$1" |
		as_user tee "$dir/log/run" >/dev/null
	as_user chmod 755 "$dir/log/run"
}

service_names() { (cd "$RUN/scan" 2>/dev/null && ls -d -- */ 2>/dev/null | tr -d /); }
service_up() { as_user s6-svstat -u "$RUN/scan/$1" 2>/dev/null | grep -q true; }
service_ready() { as_user s6-svstat -o ready "$RUN/scan/$1" 2>/dev/null | grep -q true; }

service_remove() {
	[ -d "$RUN/scan/$1" ] || return 0
	as_user s6-svc -wD -T 35000 -d "$RUN/scan/$1" 2>/dev/null || true
	as_user mv "$RUN/scan/$1" "$RUN/scan/.gone-$1"
	as_user s6-svscanctl -an "$RUN/scan"
	wait_until 5 "end" not_supervised "$RUN/scan/.gone-$1" || true
	as_user rm -rf "$RUN/scan/.gone-$1"
}
not_supervised() { ! as_user s6-svok "$1" && ! as_user s6-svok "$1/log"; }

# What a service's log ends with: the sentence of each error, each once; the lines as
# they stand where there is none.
log_end() { # name
	local errors
	errors=$(tail -n 20 "$RUN/log/$1/current" 2>/dev/null |
		jq -rR 'fromjson? | select(.level == "error") | .message' | awk '!said[$0]++')
	if [ -n "$errors" ]; then printf '%s\n' "$errors"; else tail -n 5 "$RUN/log/$1/current" 2>/dev/null; fi
}

# Lets the supervisor see new folders, then waits until all named are ready. A service's
# supervisor takes its lock (s6-svok) first, then listens, and last says how the service
# is (s6-svstat), without which s6-svwait fails.
services_start() {
	local name
	as_user s6-svscanctl -a "$RUN/scan"
	for name in "$@"; do
		wait_until 5 "$name" as_user s6-svstat "$RUN/scan/$name" ||
			die "the supervisor does not take up $name; see $RUN/log/svscan."
		as_user s6-svc -u "$RUN/scan/$name"
	done
	for name in "$@"; do
		as_user s6-svwait -U -t 20000 "$RUN/scan/$name" 2>/dev/null || {
			log_end "$name" | sed 's/^/  | /' >&2
			die "$name did not become ready in 20 s; the lines above are from the end of its log ($RUN/log/$name/current)."
		}
	done
}

scan_stop() {
	scan_running || return 0
	as_user s6-svscanctl -t "$RUN/scan"
	wait_until 40 "stop" scan_gone || die "not everything stopped within 40 s; see tools/logs."
}
scan_gone() { ! scan_running; }

# ---- the two databases, private, on unix sockets --------------------------------

postgres_define() {
	if [ ! -f "$RUN/pg/data/PG_VERSION" ]; then
		as_user mkdir -p "$RUN/pg"
		as_user rm -rf "$RUN/pg/data"
		as_user "$PG_BIN/initdb" -D "$RUN/pg/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >/dev/null ||
			die "PostgreSQL's initdb failed in $RUN/pg/data; --verbose shows why."
	fi
	as_user mkdir -p "$RUN/scan/postgres/data"
	printf '#!/bin/sh\nexec %s/pg_isready -q -h "%s/pg"\n' "$PG_BIN" "$RUN" |
		as_user tee "$RUN/scan/postgres/data/check" >/dev/null
	as_user chmod 755 "$RUN/scan/postgres/data/check"
	service_define postgres SIGINT <<-END
		#!/bin/sh
		exec 2>&1
		exec s6-notifyoncheck -d -n 600 -w 50 -T 30000 $PG_BIN/postgres -D "$RUN/pg/data" -k "$RUN/pg" \\
			-c listen_addresses= -c max_connections=200 -c shared_buffers=64MB \\
			${PG_OPTIONS:-} \\
			-c log_min_messages=warning -c log_line_prefix='%m ' \\
			-c log_error_verbosity=terse -c log_min_error_statement=fatal
	END
}

redis_define() {
	as_user mkdir -p "$RUN/redis" "$RUN/scan/redis/data"
	printf '#!/bin/sh\n[ "$(redis-cli -s "%s/redis/sock" ping)" = PONG ]\n' "$RUN" |
		as_user tee "$RUN/scan/redis/data/check" >/dev/null
	as_user chmod 755 "$RUN/scan/redis/data/check"
	service_define redis <<-END
		#!/bin/sh
		exec 2>&1
		exec s6-notifyoncheck -d -n 600 -w 50 -T 30000 redis-server --port 0 --unixsocket "$RUN/redis/sock" \\
			--unixsocketperm 700 --dir "$RUN/redis" --save '' --appendonly no --loglevel warning \\
			--maxmemory 256mb --maxmemory-policy allkeys-lru
	END
}

PG_PRIVATE_URL() { printf 'postgresql:///%s?host=%s/pg' "$1" "$RUN"; }
