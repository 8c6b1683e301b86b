#!/bin/sh
# Builds the app: ./build.sh OUTPUT.wasm. Needs Debian's clang, lld, wasi-libc and libclang-rt-*-dev-wasm32.
# The bytes depend on the compiler's version only: no paths, dates or names are left in the module.
set -eu
output=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
cd "$(dirname "$0")/c"
clang="${CLANG:-clang} --target=wasm32-wasi"
for source in *.c; do
  $clang -std=gnu11 -O2 -Wall -Wextra -Werror -I../../../libs/app-sdk/c -c "$source" -o "$objects/${source%.c}.o"
done
# Linked without -O, which would run any wasm-opt that happens to be on the PATH.
$clang -Wl,--strip-all -Wl,-z,stack-size=65536 "$objects"/*.o -o "$output"
