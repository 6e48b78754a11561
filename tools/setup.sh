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
TEST_PACKAGES=(binutils ccache make gcc-arm-none-eabi qemu-system-arm libgtest-dev python3-numpy python3-venv python3-yaml python3-pil python3-torch python3-sklearn verilator gcc-riscv64-unknown-elf gcc-avr avr-libc libsimavr-dev)

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

# environment NAME PINS WHAT: Python packages from PyPI, as pinned, in .venv-NAME; made anew when the pins change. Without a network the tests
# that need them are skipped.
environment() {
    local venv=.venv-$1 pins=$2
    cmp -s "$pins" "$venv/made-from.txt" && return 0
    say "environment of $3 ($venv)"
    rm -rf "$venv"
    if /usr/bin/python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$pins"; then
        cp "$pins" "$venv/made-from.txt"
    else
        rm -rf "$venv"
        say "NOTE: the packages of $pins could not be installed: $3 are SKIPPED"
    fi
}

differential_environment() { environment differential tests/differential/requirements.txt "the differential tests"; }
rtl_environment() { environment rtl device/rtl/requirements.txt "the tests against RTL of RISC-V cores"; }
