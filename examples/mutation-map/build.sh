#!/bin/sh
# Builds the app: ./build.sh OUTPUT.wasm. Needs Debian's clang, lld, wasi-libc and libclang-rt-*-dev-wasm32.
# The bytes depend on the compiler's version only: no paths, dates or names are left in the module.
set -eu
output=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "$0")/c"
exec "${CLANG:-clang}" --target=wasm32-wasi -std=gnu11 -O2 -Wall -Wextra -Werror \
  -I../../../libs/app-sdk/c -Wl,--strip-all -Wl,-z,stack-size=65536 \
  mutation-map.c align.c gap.c reference.c fasta.c -o "$output"
