# What setup.sh and podman.sh share. To be sourced.

say() { echo "set-up: $*" >&2; }
die() { echo "set-up: cannot go on: $*" >&2; exit 1; }

# A machine without a usable HOME (CI, su) still needs a build cache.
if [ -z "${HOME:-}" ] || ! [ -w "$HOME" ]; then
	HOME="${TMPDIR:-/tmp}/dscript-home-$(id -u)"
	mkdir -p "$HOME"
	export HOME
fi
case ":$PATH:" in *:/usr/sbin:*) ;; *) export PATH="$PATH:/usr/sbin:/sbin" ;; esac

need_go() {
	command -v go >/dev/null || die "Go is not installed, or not on PATH: see https://go.dev/doc/install (go.mod says which version)"
}

# The race detector needs a C compiler on Linux.
need_race_compiler() {
	[ "${NEED_CC:-}" = 1 ] && [ "$(uname -s)" = Linux ] || return 0
	command -v "$(go env CC)" >/dev/null && return
	[ "$(id -u)" = 0 ] || die "the race detector needs a C compiler: install gcc"
	say "installing gcc, which the race detector needs"
	apt_install gcc libc6-dev || die "the race detector needs a C compiler: install gcc"
}

apt_update() { DEBIAN_FRONTEND=noninteractive apt-get update -q >&2; }

apt_install() {
	command -v apt-get >/dev/null || return 1
	apt_update || say "apt-get update failed: trying with the lists as they are"
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends --no-upgrade -o DPkg::Lock::Timeout=120 "$@" >&2
}

# answers: an engine is found, by the rules that dscript itself follows, and answers.
answers() { bin/baseimage -ping >/dev/null 2>&1; }
answers_why() { bin/baseimage -ping >&2 || true; }
engine_name() { bin/baseimage -ping; }

# wait_answers SECONDS [PID] waits for an engine that answers; it gives up when process PID ends.
wait_answers() {
	local until=$((SECONDS + $1))
	while [ $SECONDS -lt $until ]; do
		answers && return
		[ -z "${2:-}" ] || alive "$2" || return 1
		sleep 0.2
	done
	return 1
}

# start_apart LOG COMMAND… starts it in a session of its own, where neither
# Ctrl-C nor the end of make reaches it. Its process is $!.
start_apart() {
	local log=$1
	shift
	if command -v setsid >/dev/null; then
		setsid "$@" >"$log" 2>&1 </dev/null &
	else
		nohup "$@" >"$log" 2>&1 </dev/null &
	fi
}

program_of() { cat "/proc/${1:-none}/comm" 2>/dev/null || true; }
alive() { kill -0 "$1" 2>/dev/null && ! grep -qs '^State:[[:space:]]*Z' "/proc/$1/status"; }

# dockerd_pid prints the process of a running dockerd, if there is one.
dockerd_pid() {
	local dir
	for dir in /proc/[0-9]*; do
		[ "$(program_of "${dir#/proc/}")" = dockerd ] && alive "${dir#/proc/}" && { echo "${dir#/proc/}"; return; }
	done
	return 0
}

# stop_process PID ends a process that this script started.
stop_process() {
	kill "$1" 2>/dev/null || true
	local until=$((SECONDS + 15))
	while alive "$1" && [ $SECONDS -lt $until ]; do sleep 0.2; done
	kill -9 "$1" 2>/dev/null || true
}
