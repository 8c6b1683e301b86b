#!/bin/sh
# Rebuilds the programs; needs Debian's clang, lld, wasi-libc and libclang-rt-dev-wasm32.
set -eu
cd "$(dirname "$0")"
for source in *.c; do
  clang --target=wasm32-wasi -Os -Wl,--strip-all -o "${source%.c}.wasm" "$source"
done
