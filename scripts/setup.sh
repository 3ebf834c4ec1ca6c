#!/usr/bin/env bash
# Makes this machine ready for dscript's demo and tests: an engine that
# answers, with the base image busybox:latest in it. Safe to run again and
# again: an engine that runs already is used as it is, and never stopped.
#
# On Debian and Ubuntu, as root, an engine that is missing is installed
# (package docker.io) and started. Elsewhere it says what to do and fails.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

readonly dockerd_log="${TMPDIR:-/tmp}/dscript-dockerd.log"

main() {
	need_go
	need_race_compiler
	go build -buildvcs=false -o bin/baseimage ./scripts/baseimage
	find_or_start_engine
	ensure_base_image
	[ "${MAKE_TARGET:-}" != test ] || ensure_registry
}

# ensure_registry: tests of pushes and pulls start a registry of their own. Where it
# cannot be installed they are skipped, and fail in CI.
ensure_registry() {
	command -v docker-registry >/dev/null && return
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || { say "no docker-registry: tests that need one are skipped"; return; }
	say "installing docker-registry, which tests of pushes need"
	apt_install docker-registry || say "docker-registry could not be installed: tests that need it are skipped, and fail in CI"
}

find_or_start_engine() {
	if answers; then
		say "using the engine that runs already: $(engine_name)"
		return
	fi
	if [ -n "${DOCKER_HOST:-}${DOCKER_CONTEXT:-}" ]; then
		answers_why
		die "the engine chosen by DOCKER_HOST=${DOCKER_HOST:-} DOCKER_CONTEXT=${DOCKER_CONTEXT:-} does not answer: start it, or unset the variable"
	fi
	if [ "$(uname -s)" != Linux ]; then
		answers_why
		die "no engine answers: start Docker Desktop, Colima, OrbStack or Podman, then run this again"
	fi
	if [ "$(id -u)" != 0 ]; then
		answers_why
		die "no engine answers, and only root can start one: start Docker (sudo systemctl start docker) and join its group (sudo usermod -aG docker \$USER, then log in again), or run 'sudo make ${MAKE_TARGET:-demo}'"
	fi
	command -v dockerd >/dev/null || install_docker
	answers || start_dockerd
}

install_docker() {
	say "no engine on this machine: installing docker.io"
	apt_install docker.io ca-certificates iptables ||
		die "docker.io could not be installed: install Docker (https://docs.docker.com/engine/install), then run this again"
	command -v dockerd >/dev/null || die "docker.io is installed, but there is no dockerd on PATH ($PATH)"
	# The package may have started its service.
	[ -z "$(dockerd_pid)" ] || wait_answers 30 || true
}

start_dockerd() {
	if [ -d /run/systemd/system ] && command -v systemctl >/dev/null; then
		say "starting docker.service"
		systemctl start docker || true
		wait_answers 60 && { say "docker.service runs"; return; }
		journalctl -u docker -n 30 --no-pager >&2 || true
		die "docker.service did not come up: its last lines are above"
	fi
	local pid try
	pid=$(dockerd_pid)
	if [ -n "$pid" ]; then
		say "dockerd runs (process $pid) and does not answer yet: waiting"
		wait_answers 30 && return
		answers_why
		die "dockerd (process $pid) runs and does not answer: stop it (kill $pid), then run this again"
	fi
	for try in 1 2; do
		clear_stale
		say "starting dockerd; its log: $dockerd_log"
		start_apart "$dockerd_log" dockerd
		pid=$!
		if wait_answers 60 "$pid"; then
			say "dockerd runs (process $pid) and stays up after this; to stop it: kill $pid"
			return
		fi
		say "dockerd did not come up (attempt $try of 2); the last lines of its log:"
		tail -n 20 "$dockerd_log" >&2 || true
		stop_process "$pid"
	done
	die "dockerd did not come up: see $dockerd_log"
}

# clear_stale removes what a dockerd that was killed leaves behind and the next
# one would take for a running engine: a pid file whose process is gone, is a
# zombie (in a container nobody may reap it), or is another program by now.
clear_stale() {
	stale_pid_file /var/run/docker.pid dockerd
	stale_pid_file /var/run/docker/containerd/containerd.pid containerd
	stale_pid_file /var/run/docker/containerd/docker-containerd.pid docker-containe
}

stale_pid_file() {
	local file=$1 program=$2 pid
	[ -e "$file" ] || return 0
	pid=$(cat "$file" 2>/dev/null || true)
	[ "$(program_of "$pid")" = "$program" ] && alive "$pid" && return 0
	say "removing $file: its process (${pid:-none}) is not a $program"
	rm -f "$file"
}

ensure_base_image() {
	bin/baseimage -have 2>/dev/null && return
	say "pulling busybox:latest"
	if bin/baseimage -pull; then
		say "pulled busybox:latest"
		return
	fi
	local box
	box=$(static_busybox)
	bin/baseimage -import "$box"
	say "imported busybox:latest from $box"
}

# static_busybox prints the path of a statically linked busybox.
static_busybox() {
	local box dir
	for box in /bin/busybox /usr/bin/busybox; do
		bin/baseimage -static "$box" && { echo "$box"; return; }
	done
	command -v apt-get >/dev/null || die "no registry answers, and no package busybox-static: put busybox:latest into the engine (docker load), then run this again"
	say "taking busybox from package busybox-static" >&2
	dir=$(mktemp -d)
	(cd "$dir" && (apt-get download -q busybox-static || { apt_update && apt-get download -q busybox-static; }) && dpkg-deb -x busybox-static_*.deb .) >&2 ||
		die "no registry answers, and package busybox-static cannot be downloaded"
	for box in "$dir"/bin/busybox "$dir"/usr/bin/busybox; do
		bin/baseimage -static "$box" && { echo "$box"; return; }
	done
	die "package busybox-static holds no static busybox"
}

main "$@"
