#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, by apt-get on Debian and its kin.
#
#   packages.sh PART...     build python compilers images browser
#
# Does nothing where all is there; says what to install where apt-get is not.
set -eu
missing=

# need PACKAGE TEST...: the package is missing if the test fails.
need() {
  package=$1
  shift
  "$@" >/dev/null 2>&1 || missing="$missing $package"
}

has_header() {
  echo "#include <$1>" | "${CC:-cc}" -E -x c -
}

has_browser() {
  for name in chromium chromium-browser google-chrome google-chrome-stable \
    chrome; do
    command -v "$name" && return
  done
  [ -n "${O2C_BROWSER:-}" ]
}

for part; do
  case $part in
  build)
    need make make --version
    need libc6-dev has_header stdio.h
    need m4 m4 --version
    need protobuf-c-compiler protoc-c --version
    need libprotobuf-c-dev has_header protobuf-c/protobuf-c.h
    ;;
  python) need python3-venv python3 -c 'import venv, ensurepip' ;;
  compilers)
    need g++ g++ --version
    need clang clang --version
    need gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc --version
    need libc6-dev-arm64-cross test -e /usr/aarch64-linux-gnu/include/stdio.h
    need gcc-arm-none-eabi arm-none-eabi-gcc --version
    need libnewlib-arm-none-eabi test -e /usr/include/newlib/stdio.h
    need qemu-user qemu-aarch64 --version
    need qemu-system-arm qemu-system-arm --version
    ;;
  images) # what runtime_min/o2c_image.c can link; tests go without, and say so
    need libopenjp2-7-dev has_header openjpeg-2.5/openjpeg.h
    need libwebp-dev has_header webp/decode.h
    need libtiff-dev has_header tiffio.h
    ;;
  browser) # for the page of info; page.sh goes without, and says so
    need chromium has_browser
    ;;
  *)
    echo "packages.sh: what is $part?" >&2
    exit 1
    ;;
  esac
done
# install PACKAGE...
install() {
  [ $# != 0 ] || return 0
  if ! command -v apt-get >/dev/null; then
    echo "packages.sh: please install: $*" >&2
    exit 1
  fi
  sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  echo "packages.sh: apt-get install $*"
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get -qq update
  $sudo apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

# shellcheck disable=SC2086
install $missing

# clang's sanitizers and fuzzer stand in a package of its version.
case " $* " in
*" compilers "*)
  version=$(clang -dumpversion | cut -d. -f1)
  missing=
  need "libclang-rt-$version-dev" sh -c \
    'echo "int main(void){return 0;}" |
     clang -fsanitize=address -x c -o /dev/null -'
  # shellcheck disable=SC2086
  install $missing
  ;;
esac
