#!/bin/sh
# Builds the kernels' WebAssembly with Debian's clang and lld. The results are committed, so that the benchmark runs
# with npm alone; run this after changing a source.
set -eu
cd "$(dirname "$0")"
for source in *.c; do
  clang --target=wasm32 -O2 -nostdlib -mbulk-memory -fno-math-errno -Wall -Wextra \
    -Wl,--no-entry -Wl,--export=run -Wl,--export=_start -Wl,--strip-all \
    -o "${source%.c}.wasm" "$source"
done
