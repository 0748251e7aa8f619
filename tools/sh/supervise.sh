# supervise.sh - a tree of s6 services under $RUN: PostgreSQL, Redis and the mesh.
# Sourced after choose_run_dir.
#
# $RUN/scan/NAME is a service's folder (run, notification-fd, log/run), $RUN/log/NAME
# its rotated log, $RUN/env/NAME what its environment adds to $RUN/env/all.

scan_running() { as_user test -d "$RUN/scan/.s6-svscan" && as_user s6-svscanctl -z "$RUN/scan" 2>/dev/null; }

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
	# It holds none of the turns that were taken to start it.
	# shellcheck disable=SC2016
	as_user env -i PATH="$PATH" LANG=C.UTF-8 setsid sh -c \
		'cd "$1" && exec s6-svscan -t 0 "$1/scan" >>"$1/log/svscan" 2>&1' sh "$RUN" \
		</dev/null >/dev/null 2>&1 7<&- 8<&- 9<&- &
	disown 2>/dev/null || true
	wait_until 30 "supervisor" scan_running ||
		die "the supervisor (s6-svscan) did not start; see $RUN/log/svscan."
}

# service_define NAME [down-signal] < run-script
service_define() {
	# One command for all its files, each whole or not at all (as put). It begins where run
	# is there, which is last: what was cut off before does not. Its settings may be secrets.
	# shellcheck disable=SC2016
	as_user sh -euc '
		mkdir -p "$1/log" "$2" "$3"
		cd "$1"
		umask 077
		run=$(cat)
		rm -f notification-fd.new timeout-kill.new down-signal.new log/run.new run.new
		echo 3 >notification-fd.new
		echo 30000 >timeout-kill.new
		[ -z "$4" ] || echo "$4" >down-signal.new
		printf "#!/bin/sh\nexec s6-log n10 s1000000 \"%s\"\n" "$2" >log/run.new
		printf "%s\n" "$run" >run.new
		chmod 644 notification-fd.new timeout-kill.new ${4:+down-signal.new}
		chmod 755 log/run.new
		chmod 700 run.new
		for file in notification-fd timeout-kill ${4:+down-signal} log/run run; do mv -f "$file.new" "$file"; done
	' define "$RUN/scan/$1" "$RUN/log/$1" "$RUN/env" "${2:-}"
}

service_names() { as_user find "$RUN/scan" -mindepth 1 -maxdepth 1 -type d ! -name '.*' -printf '%f\n' 2>/dev/null | sort; }
service_up() { as_user s6-svstat -u "$RUN/scan/$1" 2>/dev/null | grep -q true; }
service_ready() { as_user s6-svstat -o ready "$RUN/scan/$1" 2>/dev/null | grep -q true; }

service_remove() {
	as_user test -d "$RUN/scan/$1" || return 0
	as_user s6-svc -wD -T 35000 -d "$RUN/scan/$1" 2>/dev/null || true
	as_user mv "$RUN/scan/$1" "$RUN/scan/.gone-$1"
	as_user s6-svscanctl -an "$RUN/scan"
	wait_until 30 "end" not_supervised "$RUN/scan/.gone-$1" || true
	as_user rm -rf "$RUN/scan/.gone-$1"
}
not_supervised() { ! as_user s6-svok "$1" && ! as_user s6-svok "$1/log"; }

# What a service's log ends with: the sentence of each error, each once; the lines as
# they stand where there is none.
log_end() { # name
	local errors
	errors=$(log_tail 20 "$1" |
		jq -rR 'fromjson? | select(.severity_text == "ERROR") | .body' | awk '!said[$0]++')
	if [ -n "$errors" ]; then printf '%s\n' "$errors"; else log_tail 5 "$1"; fi
}
# The end of a log, or all of it, without what a terminal would take for a command. Where
# it has just begun a new file, the end is in those before it.
log_tail() { # lines or all, name
	# shellcheck disable=SC2016
	as_user sh -c 'cd "$2" && cat -- @* current | tail -n "$1"' sh "${1/all/+1}" "$RUN/log/$2" 2>/dev/null | plain_text
}
plain_text() { LC_ALL=C stdbuf -oL tr -d '\000-\010\013-\037\177'; }

# Lets the supervisor see new folders, then waits until all named are ready. A service's
# supervisor takes its lock (s6-svok) first, then listens, and last says how the service
# is (s6-svstat), without which s6-svwait fails.
services_start() {
	local name
	as_user s6-svscanctl -a "$RUN/scan"
	for name in "$@"; do
		wait_until 30 "$name" as_user s6-svstat "$RUN/scan/$name" ||
			die "the supervisor does not take up $name; see $RUN/log/svscan."
		as_user s6-svc -u "$RUN/scan/$name"
	done
	for name in "$@"; do
		as_user s6-svwait -U -t 30000 "$RUN/scan/$name" 2>/dev/null || {
			log_end "$name" | sed 's/^/  | /' >&2
			die "$name did not become ready in 30 s; the lines above are from the end of its log ($RUN/log/$name/current)."
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

# Sets PG_BIN, PostgreSQL's programs of the version that made the data in $RUN, where there
# are none of the newest that is here.
find_postgres() {
	local major
	major=$(as_user cat "$RUN/pg/data/PG_VERSION" 2>/dev/null) ||
		major=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -n | tail -n 1)
	is_number "$major" || die "$RUN/pg/data/PG_VERSION does not say which PostgreSQL made the data beside it."
	PG_BIN=/usr/lib/postgresql/$major/bin
	[ -x "$PG_BIN/postgres" ] ||
		die "the data in $RUN/pg are PostgreSQL $major's, which is not here; install postgresql-$major (pg_upgrade or pg_dump then take them to a newer one), or forget the data: tools/down --erase"
}

# An empty PostgreSQL where there is none; it comes whole, or not at all.
postgres_make() {
	find_postgres
	! as_user test -e "$RUN/pg/data" || return 0
	as_user mkdir -p "$RUN/pg"
	as_user rm -rf "$RUN/pg/data.new"
	as_user "$PG_BIN/initdb" -D "$RUN/pg/data.new" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >/dev/null ||
		die "PostgreSQL's initdb failed in $RUN/pg/data.new; the lines above say why."
	as_user mv "$RUN/pg/data.new" "$RUN/pg/data"
}

postgres_define() {
	postgres_make
	as_user mkdir -p "$RUN/scan/postgres/data"
	printf '#!/bin/sh\nexec %s/pg_isready -q -h "%s/pg"\n' "$PG_BIN" "$RUN" |
		put "$RUN/scan/postgres/data/check" 755
	# Where its disk is full a server ends in the middle of its recovery, again and again,
	# and each attempt reads all anew. So one begins once there is room for what it will
	# want first, a new piece of its log of changes; after ten seconds in any case, for it
	# may want less.
	service_define postgres SIGINT <<-END
		#!/bin/sh
		exec 2>&1
		is_full() {
			fallocate -l 17MiB "$RUN/pg/data/pg_wal/room.tmp" 2>&1 | grep -qi 'no space\|quota'
			full=\$?
			rm -f "$RUN/pg/data/pg_wal/room.tmp"
			return \$full
		}
		# Such a lock names nobody: its writer ended, or had no room, before it did.
		for lock in "$RUN/pg/data/postmaster.pid" "$RUN/pg/.s.PGSQL.5432.lock"; do
			[ -s "\$lock" ] || rm -f "\$lock"
		done
		looks=0
		while [ \$looks -lt 100 ] && is_full; do
			[ \$looks -gt 0 ] || echo "the disk of $RUN/pg/data/pg_wal is full: PostgreSQL starts once there is room"
			looks=\$((looks + 1))
			sleep 0.1
		done
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
		put "$RUN/scan/redis/data/check" 755
	service_define redis <<-END
		#!/bin/sh
		exec 2>&1
		exec s6-notifyoncheck -d -n 600 -w 50 -T 30000 redis-server --port 0 --unixsocket "$RUN/redis/sock" \\
			--unixsocketperm 700 --dir "$RUN/redis" --save '' --appendonly no --loglevel warning \\
			--maxmemory 256mb --maxmemory-policy allkeys-lru
	END
}

PG_PRIVATE_URL() { printf 'postgresql:///%s?host=%s/pg' "$1" "$RUN"; }
