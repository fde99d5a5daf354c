# Settings and functions of the scripts beside it: sourced by them, not run.
#
#   OSVPN_TEST_RELEASE  2026.2 (the default; stores no sha1) or 2026.1 (does)
#   OSVPN_TEST_HOME     where OpenStack and its state live: ~/.cache/osvpn-test
#   OSVPN_TEST_AGENT    compare (the default), strongswan or off; options may follow: "compare --never"
#   OSVPN_TEST_PORTS    added to every port, for a second set of clouds (with an OSVPN_TEST_HOME of its own): 1000
#
# Exit codes of all scripts: 0 done, 77 skipped (the machine cannot do it), 1 failed, 2 wrong usage.
# shellcheck shell=bash disable=SC2034

HERE=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
REPOSITORY=$(CDPATH='' cd -- "$HERE/../.." && pwd)

skip() { echo "skipped: $*" >&2; exit 77; }
fail() { echo "failed: $*" >&2; exit 1; }
usage() { echo "usage: $*" >&2; exit 2; }
fail_with() { # fail_with REASON LOG...: with the end of each log that is not empty
    local log
    for log in "${@:2}"; do
        [ ! -s "$log" ] || { echo "--- the end of $log"; tail -n 20 "$log"; } >&2
    done
    fail "$1"
}

RELEASE=${OSVPN_TEST_RELEASE:-2026.2}
# Below 32768: the kernel lends the ports above to outgoing connections, and holds them for a minute afterwards.
case $RELEASE in
    2026.2) keystone_port=27000 first_port=27696 ;;
    2026.1) keystone_port=22000 first_port=22696 ;;
    *) usage "OSVPN_TEST_RELEASE is 2026.2 or 2026.1, not $RELEASE" ;;
esac
PORTS=${OSVPN_TEST_PORTS:-0}
[[ $PORTS =~ ^(0|[1-9][0-9]{0,3})$ ]] || usage "OSVPN_TEST_PORTS is a number from 0 to 9999, not $PORTS"
keystone_port=$((keystone_port + PORTS)) first_port=$((first_port + PORTS))
PINS=$HERE/pins-$RELEASE.txt

TEST_HOME=$(realpath -m -- "${OSVPN_TEST_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/osvpn-test}")
case $TEST_HOME/ in
    "$REPOSITORY"/*) fail "OSVPN_TEST_HOME ($TEST_HOME) is inside the repository" ;;
esac
VENV=$TEST_HOME/$RELEASE/venv
STATE=$TEST_HOME/$RELEASE/state
PY=$VENV/bin/python
LOG=$STATE/log
RUN=$STATE/run

# NAME:PORT of each region. The last one exists after seed-scale only.
SCALE_REGION=nz-big-1
REGIONS="nz-hlz-1:$first_port nz-por-1:$((first_port + 1)) nz-wlg-2:$((first_port + 2))"
scale_spec=$SCALE_REGION:$((first_port + 3))
[ ! -f "$STATE/scaled" ] || REGIONS+=" $scale_spec"

AUTH_URL=http://127.0.0.1:$keystone_port/v3
ADMIN_PASSWORD="admin"
SERVICE_PASSWORD="service"

# What the Python files need to know.
export OSVPN_TEST_RELEASE=$RELEASE OSVPN_TEST_PORTS=$PORTS OSVPN_TEST_STATE=$STATE OSVPN_TEST_AUTH_URL=$AUTH_URL OSVPN_TEST_REGIONS=$REGIONS
export PYTHONWARNINGS=ignore PYTHONDONTWRITEBYTECODE=1
# A proxy may be the way to PyPI, never to these servers.
case ,${no_proxy:-}, in *,127.0.0.1,*) ;; *) no_proxy=127.0.0.1,localhost${no_proxy:+,$no_proxy} ;; esac
export no_proxy NO_PROXY=$no_proxy

# One script at a time changes a release's state; the lock goes with the script that holds it.
take_lock() {
    mkdir -p "$TEST_HOME/$RELEASE"
    exec 9>"$TEST_HOME/$RELEASE/lock"
    if ! flock -n 9; then
        echo "waiting for another script that is at work on $RELEASE"
        flock 9
    fi
}

# running NAME: its pid file names a live process, and one of this state (a pid may have been given to another).
running() {
    local pid
    pid=$(cat "$RUN/$1.pid" 2>/dev/null) && [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null \
        && tr '\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$STATE"
}

stop() { # stop NAME, only if it is ours
    if running "$1"; then
        local pid
        pid=$(cat "$RUN/$1.pid")
        kill "$pid" 2>/dev/null || true
        for _ in $(seq 150); do
            running "$1" || break
            sleep 0.1
        done
        ! running "$1" || kill -9 "$pid" 2>/dev/null || true
        echo "stopped $1 ($pid)"
    fi
    rm -f "$RUN/$1.pid"
    # A strongSwan agent that was killed left its namespaces.
    if [ "$1" = agent ] && [ "$(id -u)" = 0 ]; then
        python3 "$HERE/lab.py" clean
    fi
}

stop_all() {
    local file
    # The agent first: it reads what the others write.
    stop agent
    for file in "$RUN"/*.pid; do
        [ ! -e "$file" ] || stop "$(basename "$file" .pid)"
    done
}

need_up() {
    local name
    for name in keystone $REGIONS; do
        running "${name%:*}" || fail "${name%:*} of $RELEASE does not run: start it with $HERE/up"
    done
}
