#!/usr/bin/env bash
# podman.sh COMMAND… runs COMMAND with DOCKER_HOST pointing to a Podman service
# of its own, on a socket in a directory of its own, and ends the service after
# it. Podman is installed when it is missing (Debian and Ubuntu, as root).
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

main() {
	need_go
	if ! command -v podman >/dev/null; then
		[ "$(id -u)" = 0 ] || die "podman is not installed, and only root can install it: see https://podman.io/docs/installation"
		say "installing podman"
		apt_install podman netavark aardvark-dns || die "podman could not be installed: see https://podman.io/docs/installation"
	fi
	ensure_names
	dir=$(mktemp -d)
	trap finish EXIT
	# Containers get the service's own limits, which may exceed what this
	# process may set: ask for small ones.
	printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n' >"$dir/containers.conf"
	export CONTAINERS_CONF="$dir/containers.conf"
	# Registries of tests are on loopback and speak plain HTTP, which Docker takes there by itself.
	printf 'unqualified-search-registries = ["docker.io"]\n[[registry]]\nlocation = "localhost"\ninsecure = true\n' >"$dir/registries.conf"
	export CONTAINERS_REGISTRIES_CONF="$dir/registries.conf"
	say "starting podman system service; its log: $dir/podman.log"
	unset DOCKER_HOST DOCKER_CONTEXT
	start_apart "$dir/podman.log" podman system service --time=0 "unix://$dir/podman.sock"
	service=$!
	export DOCKER_HOST="unix://$dir/podman.sock"
	go build -buildvcs=false -o bin/baseimage ./scripts/baseimage
	if ! wait_answers 30 "$service"; then
		tail -n 20 "$dir/podman.log" >&2
		die "the Podman service did not come up"
	fi
	bash scripts/setup.sh
	"$@"
}

# ensure_names installs what resolves the names of containers, which Debian's podman
# only recommends. Which one that is depends on what Podman has used before.
ensure_names() {
	local package program
	case "$(podman info --format '{{.Host.NetworkBackend}}')" in
	netavark) package=aardvark-dns program=/usr/lib/podman/aardvark-dns ;;
	cni) package=golang-github-containernetworking-plugin-dnsname program=/usr/lib/cni/dnsname ;;
	*) return 0 ;;
	esac
	[ ! -e "$program" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 0
	say "installing $package, which resolves the names of containers"
	apt_install "$package" || say "$package could not be installed: tests that use names of containers will fail"
}

finish() {
	local code=$?
	if [ -n "${service:-}" ]; then
		stop_process "$service"
		say "ended the Podman service"
	fi
	[ $code = 0 ] && rm -rf "$dir" || say "the service's log is kept: $dir/podman.log"
	exit $code
}

main "$@"
