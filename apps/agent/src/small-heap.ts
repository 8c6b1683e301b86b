import { setFlagsFromString } from 'node:v8';

const FLAGS = [
  // The young generation stays at its first size. It would grow to 48 MB for programs that make garbage fast.
  '--semi-space-growth-factor=1',
  '--optimize-for-size',
  // The only WebAssembly here is fetch's parser of headers; the optimising compiler would keep 10 MB for having made it fast.
  '--no-wasm-dynamic-tiering',
  '--no-wasm-tier-up',
];

/**
 * Has V8 prefer a small heap to speed. The agent computes little itself, and a volunteer's memory is not its to keep; what
 * computes is in processes of its own, which know nothing of this. To be called before much is loaded.
 */
export function keepHeapSmall(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}
