# SPDX-License-Identifier: Apache-2.0
# Sourced by the tests of this folder. CTest gives ONNX2C (the program), DATA
# (test data, see tools/prepare.sh) and ROOT (the source tree). A test works in
# $WORK, a fresh folder; it fails by `fail`, or by any command that does.
set -eu
: "${ONNX2C:?}" "${DATA:?}" "${ROOT:?}"
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 1' INT TERM HUP
cd "$WORK"
zoo=$DATA/zoo
PYTHON=$DATA/venv/bin/python

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# expect CODE COMMAND...: the exit code is CODE; output goes to $WORK/log.
expect() {
  want=$1
  shift
  got=0
  "$@" >"$WORK/log" 2>&1 || got=$?
  if [ "$got" != "$want" ]; then
    cat "$WORK/log" >&2
    fail "exit code $got, not $want: $*"
  fi
}

# says TEXT: the last expected command printed it.
says() {
  grep -qF -- "$1" "$WORK/log" || {
    cat "$WORK/log" >&2
    fail "it does not say: $1"
  }
}

have() {
  command -v "$1" >/dev/null 2>&1
}

# The compilers that the tests want; each must be there (tests/run.sh brings
# them), unless O2C_LEAN is set.
compilers() {
  for cc in gcc clang aarch64-linux-gnu-gcc arm-none-eabi-gcc; do
    if have "$cc"; then
      echo "$cc"
    elif [ -z "${O2C_LEAN:-}" ]; then
      fail "no $cc; install it, or set O2C_LEAN=1 to go without"
    fi
  done
}
STRICT="-std=c99 -Wall -Wextra -Wpedantic -Wshadow -Wundef -Werror"
