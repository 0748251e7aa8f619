# base.sh - what every command in tools/ starts from: where things are, how it
# speaks, the user it runs as. Sourced, never run.
#
# A command prints a line a step; what a step runs goes to a log that is shown
# when the step fails, or at once with --verbose.

set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VERBOSE=${VERBOSE:-}
RUN_USER=trellis # the unprivileged user, made when root runs us
# What the caller set for other PostgreSQL servers, or to reach the internet, is not
# meant for what runs here.
for name in $(compgen -e); do
	if [[ $name =~ ^PG[A-Z]+$ ]]; then unset "$name"; fi
done
curl() { command curl --noproxy '*' "$@"; }

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

# Runs a command as the unprivileged user when we are root, else as ourselves. In the
# run folder root works by this only, for that user may change what is there at any
# time: nothing of it is opened, sourced, executed or computed with as root. The command
# has no terminal, so that it cannot type into root's.
as_user() { "${AS_USER[@]}" "$@"; }
AS_USER=()
! is_root || AS_USER=(env -C / setsid -w setpriv "--reuid=$RUN_USER" "--regid=$RUN_USER" --init-groups --no-new-privs --)

# put FILE MODE < content - a file of the run folder, whole or not at all.
put() {
	# shellcheck disable=SC2016
	as_user sh -c 'umask 077; rm -f -- "$1.new"; cat >"$1.new" && chmod "$2" "$1.new" && mv -f -- "$1.new" "$1"' put "$1" "$2"
}

is_number() { [[ ${1:-} =~ ^[0-9]{1,9}$ ]]; }

make_user() {
	is_root || return 0
	id "$RUN_USER" >/dev/null 2>&1 && return 0
	useradd --system --user-group --no-create-home --home-dir /nonexistent \
		--shell /usr/sbin/nologin "$RUN_USER" ||
		die "cannot make the user '$RUN_USER' that the servers run as; make it, or run this as an ordinary user."
}

# Sets RUN, the folder all state lives in, and makes nothing. What is another user's is
# refused: it would not work, and what is left behind would break it for them.
find_run_dir() {
	local spare
	spare=$(spare_run_dir)
	# Anybody may put a link there, and lead us elsewhere.
	[ ! -L "$spare" ] || die "$spare is a link; remove it, or set TRELLIS_RUN_DIR to a folder of your own."
	RUN=$(readlink -m -- "${TRELLIS_RUN_DIR:-$TOP/.run}")
	# An earlier release put the link into the folder, not in its place.
	if [ -z "${TRELLIS_RUN_DIR:-}" ] &&
		{ [ -L "$TOP/.run/${spare##*/}" ] || { [ ! -e "$TOP/.run" ] && [ ! -w "$TOP" ]; }; }; then
		RUN=$spare
	fi
	refuse_foreign "$RUN"
}

# The folder that serves where $TOP/.run cannot be used.
spare_run_dir() { printf '/var/tmp/trellis-%s' "$(printf '%s' "$TOP" | cksum | cut -d' ' -f1)"; }

refuse_foreign() { # folder
	local state owner as user=$RUN_USER
	state=$(run_dir_state "$1")
	case $state in none | other) return 0 ;; esac
	is_root || user=$(id -un)
	owner=$(stat -c %U "$1/.trellis" 2>/dev/null || stat -c %U "$1/scan" 2>/dev/null || stat -c %U "$1")
	[ "$owner" != "$user" ] || return 0
	as=$owner
	[ "$owner" != "$RUN_USER" ] || as=root
	if [ "$state" = closed ]; then
		die "$1 belongs to $owner and is closed to $user; run this as $as, or set TRELLIS_RUN_DIR to a folder of your own."
	elif [ "$(stat -c %U "$1")" != "$owner" ]; then
		die "the mesh in $1 belongs to $owner, but the folder does not; give it back (chown $owner $1), then run this as $as."
	fi
	die "the mesh in $1 belongs to $owner; run this as $as, or set TRELLIS_RUN_DIR to a folder of your own."
}

# none (absent or empty), mesh, other (it holds what is not a mesh's), closed (to us).
# A mesh's folder holds .trellis, whose owner is the mesh's; that of an earlier release
# has no such file, and nothing but what that release made.
run_dir_state() { # folder
	local names
	if [ -e "$1/.trellis" ]; then
		echo mesh
	elif [ ! -e "$1" ]; then
		echo none
	elif ! names=$(ls -A -- "$1" 2>/dev/null) || [ ! -x "$1" ]; then
		echo closed
	elif [ -z "$names" ]; then
		echo none
	elif grep -qxF .trellis <<<"$names"; then
		echo mesh # made at this moment, by another
	elif [ -d "$1/scan" ] && { [ -d "$1/keys" ] || [ -d "$1/pg" ]; } &&
		! grep -qvxE 'bin|env|keys|log|mail|pg|ports|redis|scan' <<<"$names"; then
		echo mesh
	else
		echo other
	fi
}

# Sets RUN, and makes it where it is not there. PostgreSQL's socket must fit in 107
# bytes, no shell may take a character of the path for its own, and the unprivileged
# user must reach it; else a folder in /var/tmp.
choose_run_dir() {
	find_run_dir
	make_user
	if make_run_dir "$RUN"; then :
	elif [ -n "${TRELLIS_RUN_DIR:-}" ]; then
		die "TRELLIS_RUN_DIR=$RUN cannot be used: its path must be at most 80 characters long, of letters, digits and /._+-, and reachable by the user '$(as_user id -un)'. Choose another, such as /var/tmp/trellis."
	else
		RUN=$(spare_run_dir)
		refuse_foreign "$RUN"
		make_run_dir "$RUN" ||
			die "neither $TOP/.run nor $RUN can be used by '$(as_user id -un)'; set TRELLIS_RUN_DIR to a folder that can."
	fi
	[ -n "${TRELLIS_RUN_DIR:-}" ] || [ "$TOP/.run" -ef "$RUN" ] || link_run_dir
}

# Owner and mode change only of a folder that is made here, or empty.
make_run_dir() { # folder
	local made=
	[ ${#1} -le 80 ] && [[ $1 =~ ^[A-Za-z0-9/._+-]+$ ]] || return 1
	case $(run_dir_state "$1") in
	none)
		[ -d "$1" ] || made=1
		mkdir -p -- "$1" 2>/dev/null || return 1
		if is_root && [ "$(stat -c %U "$1")" != "$RUN_USER" ]; then
			# Root gives away only what is its own, and no folder that a link led to.
			if [ -O "$1" ] && [ ! -L "$1" ]; then
				chown -h "$RUN_USER:$RUN_USER" "$1"
			else # one that began at the same moment has given it away
				[ "$(stat -c %U "$1")" = "$RUN_USER" ] || return 1
			fi
		fi
		as_user chmod 750 "$1" 2>/dev/null || return 1
		;;
	other) die "$1 holds more than a mesh's files; move the rest away, or set TRELLIS_RUN_DIR to a new folder." ;;
	esac
	if as_user test -w "$1" && as_user test -x "$1"; then
		[ -e "$1/.trellis" ] || as_user touch "$1/.trellis"
	else
		[ -z "$made" ] || rmdir "$1"
		return 1
	fi
}

# Commands that change things take turns: those in one run folder, and those that build
# in one tree. What is left running must not keep the descriptor.
take_turn() { # descriptor, folder, what it waits for
	eval "exec $1<\"\$2\""
	flock -n "$1" && return 0
	say "Waiting for $3 to end (it holds $2) ..."
	flock -w 900 "$1" || die "$3 is still at work in $2 after 15 minutes; see what it waits for, and run this again."
}

# Makes $TOP/.run a link to RUN.
link_run_dir() {
	[ ! -L "$TOP/.run/${RUN##*/}" ] || rm -f "$TOP/.run/${RUN##*/}"
	[ -L "$TOP/.run" ] || [ ! -d "$TOP/.run" ] || rmdir "$TOP/.run" || true
	[ -d "$TOP/.run" ] || ln -sfn "$RUN" "$TOP/.run" 2>/dev/null || true
	[ "$TOP/.run" -ef "$RUN" ] ||
		warn "everything is in $RUN, and $TOP/.run cannot be made a link to it; set TRELLIS_RUN_DIR=$RUN for tools/trellis."
}

need_space() { # folder, MiB
	local free
	free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$2" ] ||
		die "the disk under $1 has $free MiB left and $2 MiB are needed; free some space, or set TRELLIS_RUN_DIR to a folder on another disk."
}

# copy_tree FROM TO - the tree without what git ignores. Builds and meshes may come and go
# at its top meanwhile.
copy_tree() {
	mkdir -p "$2"
	if git -C "$1" rev-parse --git-dir >/dev/null 2>&1; then
		(cd "$1" && git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -cf - -T -)
	else
		(cd "$1" && find . -mindepth 1 -maxdepth 1 ! -name 'build*' ! -name .run ! -name .git -print0 |
			tar --null --exclude=node_modules -cf - -T -)
	fi | tar -C "$2" --no-same-owner -xf -
}
