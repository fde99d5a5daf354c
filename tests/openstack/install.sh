# Installs the pinned OpenStack from PyPI into $VENV; sourced by `up`, not run.
# shellcheck shell=bash

# An interpreter the pinned packages accept, with what makes a virtual environment.
find_python() {
    local candidate
    for candidate in ${OSVPN_TEST_PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

# Whether $VENV is whole: finished once with these pins, its Python starts, and has each package in its pinned version.
installed() {
    cmp -s "$PINS" "$VENV/finished" && "$PY" - "$PINS" 2>/dev/null <<'CHECK'
import sys
from importlib.metadata import version

for line in open(sys.argv[1]):
    name, _, pinned = line.strip().partition("==")
    if pinned and version(name) != pinned:
        sys.exit(f"{name} is {version(name)}")
CHECK
}

install_openstack() {
    installed && return
    local python log=$TEST_HOME/$RELEASE/pip.log
    python=$(find_python) || skip "Python 3.11 or newer with venv is needed; OSVPN_TEST_PYTHON names one"
    say "installing OpenStack $RELEASE from PyPI into $VENV"
    # What an interrupted installation left cannot be told from what is whole: start over, under nobody's feet.
    stop_all
    rm -rf "$VENV"
    "$python" -m venv "$VENV" > "$log" 2>&1 || fail_with "no virtual environment in $VENV" "$log"
    if ! "$PY" -m pip install --disable-pip-version-check --no-input --retries 2 --timeout 20 -r "$PINS" \
        >> "$log" 2>&1 9>&-; then
        if grep -qE 'Retrying \(Retry\(|(NewConnection|NameResolution|Proxy|ReadTimeout)Error' "$log"; then
            skip "PyPI cannot be reached (see $log)"
        fi
        fail_with "pip could not install $PINS" "$log"
    fi
    cp "$PINS" "$VENV/finished"
}
