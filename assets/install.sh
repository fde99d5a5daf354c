#!/bin/sh
# Installs osvpn for one user. Downloads the archive for this machine and SHA256SUMS, compares them, and puts one file,
# osvpn, into ~/.local/bin. It writes nothing else and needs no root.
#
#   sh install.sh                    the newest version, in place of the one that is there
#   sh install.sh --version 0.2.0    that version
#   sh install.sh --uninstall        deletes the file
#
# OSVPN_BASE_URL   the address below which the archives and SHA256SUMS are
# OSVPN_BIN_DIR    a directory other than ~/.local/bin
set -eu

base=${OSVPN_BASE_URL:-}

say() { printf '%s\n' "$*"; }
fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

platform() {
    case $(uname -s) in
    Linux) os=linux ;;
    Darwin) os=darwin ;;
    MINGW* | MSYS* | CYGWIN*) fail "on Windows osvpn runs in WSL; run this script there" ;;
    *) fail "there is no archive for $(uname -s); build osvpn with Cargo" ;;
    esac
    case $(uname -m) in
    x86_64 | amd64) say "x86_64-$os" ;;
    aarch64 | arm64) say "aarch64-$os" ;;
    *) fail "there is no archive for $(uname -m); build osvpn with Cargo" ;;
    esac
}

# download URL FILE: what is asked for with https never comes in clear text. curl refuses such a redirection; wget follows,
# and what it got is not taken.
download() {
    if command -v curl >/dev/null; then
        case $1 in https:*) protocols='=https' ;; *) protocols='=http,https' ;; esac
        curl -fsSL --proto "$protocols" -o "$2" "$1" 2>"$scratch/said"
    else
        wget -nv -S -t 3 -O "$2" "$1" 2>"$scratch/said" &&
            case $1 in https:*) ! grep -i '^ *location: *http:' "$scratch/said" ;; esac
    fi && return
    cat "$scratch/said" >&2
    fail "$1 cannot be downloaded; nothing was installed"
}

sum_of() {
    if command -v sha256sum >/dev/null; then
        sha256sum "$1"
    else
        shasum -a 256 "$1"
    fi | cut -d ' ' -f 1
}

uninstall() {
    [ -e "$bin/osvpn" ] || fail "there is no $bin/osvpn"
    rm "$bin/osvpn" || fail "$bin/osvpn cannot be deleted"
    say "Deleted $bin/osvpn."
    state=${XDG_STATE_HOME:-$HOME/.local/state}/osvpn
    [ ! -d "$state" ] || say "Kept $state: the log, and journals of what was created."
}

install() {
    platform=$(platform)
    [ -n "$base" ] || fail "set OSVPN_BASE_URL to the address where SHA256SUMS is"
    command -v curl >/dev/null || command -v wget >/dev/null || fail "curl or wget is needed"
    command -v sha256sum >/dev/null || command -v shasum >/dev/null || fail "sha256sum or shasum is needed"
    { mkdir -p "$bin" && [ -w "$bin" ]; } || fail "$bin cannot be written to; OSVPN_BIN_DIR names another directory"
    scratch=$(mktemp -d)
    new=
    trap 'rm -rf "$scratch" "$new"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    new=$(mktemp "$bin/.osvpn.XXXXXX")

    download "$base/SHA256SUMS" "$scratch/sums"
    line=$(grep -E "^[0-9a-f]{64}  osvpn-[0-9][0-9A-Za-z.+-]*-$platform\.tar\.gz\$" "$scratch/sums" |
        grep -F "  osvpn-$version${version:+-$platform.}" | tail -n 1)
    [ -n "$line" ] ||
        fail "there is no osvpn ${version:+$version }for $platform at $base"
    archive=${line#*  }
    download "$base/$archive" "$scratch/$archive"
    [ "$(sum_of "$scratch/$archive")" = "${line%%  *}" ] ||
        fail "the SHA-256 sum of $archive is not the one in SHA256SUMS; nothing was installed"

    tar -xzf "$scratch/$archive" -C "$scratch" "${archive%.tar.gz}/osvpn"
    cp "$scratch/${archive%.tar.gz}/osvpn" "$new"
    chmod 755 "$new"
    made=$("$new" --version) || fail "the program does not run on this machine; nothing was installed"
    before=$("$bin/osvpn" --version 2>/dev/null) || before=
    mv -f "$new" "$bin/osvpn"

    say "Installed $made as $bin/osvpn${before:+, in place of $before}. The SHA-256 sum of $archive is right."
    case :$PATH: in
    *":$bin:"*) say "Try it: osvpn --demo" ;;
    *)
        say "$bin is not in PATH. Run this now, and add it to ~/.profile:"
        say "    export PATH=\"$bin:\$PATH\""
        ;;
    esac
    say "Completions: osvpn completions --help. Manual: osvpn man --help. Remove it: sh install.sh --uninstall"
}

# All of this is read before any of it runs.
main() {
    bin=${OSVPN_BIN_DIR:-$HOME/.local/bin}
    case ${1:-} in
    '') version='' ;;
    --version)
        version=${2:-}
        case $version in '' | *[!0-9A-Za-z.+-]*) fail "--version takes a version, such as 0.2.0" ;; esac
        ;;
    --uninstall) ;;
    *) fail "usage: install.sh [--version VERSION | --uninstall]" ;;
    esac
    if [ "${1:-}" = --uninstall ]; then uninstall; else install; fi
}

main "$@"
