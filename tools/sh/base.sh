# base.sh - what every command in tools/ starts from: where things are, how it
# speaks, as whom it runs. Sourced, never run.
#
# A command prints a line a step; what a step runs goes to a log that is shown
# when the step fails, or at once with --verbose.

set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VERBOSE=${VERBOSE:-}
RUN_USER=trellis # the unprivileged user, made when root runs us

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }

# One sentence of what went wrong and what to do.
die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

is_root() { [ "$(id -u)" = 0 ]; }

# step "Building" command... - runs it quietly, shows progress and, on failure,
# the end of what it printed.
step() {
	local title=$1 log status=0
	shift
	if [ -n "$VERBOSE" ]; then
		say "== $title"
		say "   \$ $*"
		"$@" || die "$title failed; the output above says why."
		return
	fi
	log=$(mktemp)
	printf '%-28s ' "$title"
	"$@" >"$log" 2>&1 &
	progress $! "$log" "$title"
	wait $! || status=$?
	if [ "$status" != 0 ]; then
		say "failed"
		tail -n 25 "$log" | sed 's/^/  | /' >&2
		rm -f "$log"
		die "$title failed (the lines above are the end of its output; --verbose shows all)."
	fi
	rm -f "$log"
	say "done"
}

# Shows on a terminal that a long step is alive: its last line, once a second.
progress() {
	[ -t 1 ] || return 0
	local pid=$1 log=$2 title=$3 line
	while kill -0 "$pid" 2>/dev/null; do
		line=$(tail -n 1 "$log" 2>/dev/null | cut -c1-48)
		printf '\r%-28s %-48s' "$title" "$line"
		read -rt 0.5 <> <(:) || true
	done
	printf '\r%-77s\r%-28s ' '' "$title"
}

# wait_until SECONDS "what" command... - a condition with a deadline.
wait_until() {
	local left=$(($1 * 20)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || return 1
		read -rt 0.05 <> <(:) || true
	done
}

# Runs a command as the unprivileged user when we are root, else as ourselves.
as_user() {
	if is_root; then
		setpriv --reuid="$RUN_USER" --regid="$RUN_USER" --init-groups --no-new-privs -- "$@"
	else
		"$@"
	fi
}

make_user() {
	is_root || return 0
	id "$RUN_USER" >/dev/null 2>&1 && return 0
	useradd --system --user-group --no-create-home --home-dir /nonexistent \
		--shell /usr/sbin/nologin "$RUN_USER" ||
		die "cannot make the user '$RUN_USER' that the servers run as; make it, or run this as an ordinary user."
}

# Sets RUN, the folder all state lives in. PostgreSQL's socket must fit in 107
# bytes and the unprivileged user must reach it; else a folder in /var/tmp.
choose_run_dir() {
	make_user
	RUN=${TRELLIS_RUN_DIR:-$TOP/.run}
	[ -L "$RUN" ] && RUN=$(readlink -f "$RUN")
	if run_dir_fits "$RUN"; then :
	elif [ -n "${TRELLIS_RUN_DIR:-}" ]; then
		die "TRELLIS_RUN_DIR=$RUN cannot be used: its path must be at most 80 characters long and reachable by the user '$(as_user id -un)'. Choose another, such as /var/tmp/trellis."
	else
		RUN=/var/tmp/trellis-$(printf '%s' "$TOP" | cksum | cut -d' ' -f1)
		run_dir_fits "$RUN" || die "neither $TOP/.run nor $RUN can be used by '$(as_user id -un)'; set TRELLIS_RUN_DIR to a folder that can."
		ln -sfn "$RUN" "$TOP/.run"
	fi
}

run_dir_fits() {
	[ ${#1} -le 80 ] || return 1
	mkdir -p "$1" 2>/dev/null || return 1
	if is_root; then chown "$RUN_USER:$RUN_USER" "$1"; fi
	chmod 750 "$1" 2>/dev/null || return 1
	as_user test -w "$1" && as_user test -x "$1"
}

need_space() { # folder, MiB
	local free
	free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$2" ] ||
		die "the disk under $1 has $free MiB left and $2 MiB are needed; free some space, or set TRELLIS_RUN_DIR to a folder on another disk."
}
