# SPDX-License-Identifier: Apache-2.0
# Sourced by run-demo and run-tests: installs the Debian packages that are missing, configures and builds.

say() { printf '\n== %s\n' "$*" >&2; }

# need_packages PACKAGE... : installs what dpkg does not have. Needs root, or sudo.
need_packages() {
    local missing=() p
    for p in "$@"; do
        dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    say "installing: ${missing[*]}"
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "install these packages first: ${missing[*]}" >&2; return 1; }
        root=(sudo)
    fi
    "${root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

BUILD_PACKAGES=(gcc g++ libc6-dev meson ninja-build pkg-config libyaml-dev libzip-dev zlib1g-dev libjansson-dev libsmartcols-dev python3)
TEST_PACKAGES=(binutils make gcc-arm-none-eabi qemu-system-arm libgtest-dev python3-numpy python3-venv python3-yaml python3-pil python3-torch python3-sklearn)

# build FOLDER [meson options]
build() {
    local dir=$1
    shift
    if [ -f "$dir/build.ninja" ]; then
        meson setup --reconfigure "$dir" "$@" >/dev/null
    else
        meson setup "$dir" "$@" >/dev/null
    fi
    ninja -C "$dir" >"$dir/build.log" 2>&1 || { tail -n 60 "$dir/build.log" >&2; return 1; }
}

# The interpreters of the differential tests, from PyPI, as pinned; made anew when the pins change. Without a network those tests are skipped.
differential_environment() {
    local pins=tests/differential/requirements.txt venv=.venv-differential
    cmp -s "$pins" "$venv/made-from.txt" && return 0
    say "environment of the differential tests ($venv)"
    rm -rf "$venv"
    if /usr/bin/python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$pins"; then
        cp "$pins" "$venv/made-from.txt"
    else
        rm -rf "$venv"
        say "NOTE: the packages of $pins could not be installed: the differential tests are SKIPPED"
    fi
}
