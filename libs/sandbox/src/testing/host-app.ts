import { sourceOfPieces } from '../wasi/byte-source.js';
import { WasiHost, type HostInit } from '../wasi/wasi-host.js';

type Call = (...args: (number | bigint)[]) => number;

/** For tests: a host with one page of memory, as an app sees it. */
export function aHost(init: Partial<HostInit> = {}) {
  const host = new WasiHost({
    args: ['app', 'one'],
    env: { B: '2', A: '1' },
    inputs: new Map([['a', sourceOfPieces([new TextEncoder().encode('the input')])]]),
    keepsStdout: true,
    outputBytes: 100_000,
    scratchBytes: 100_000,
    seed: '00'.repeat(32),
    charge: () => {},
    onProgress: () => {},
    onFrame: () => {},
    ...init,
  });
  const memory = new WebAssembly.Memory({ initial: 1 });
  host.context.memory.attach(memory);
  const bytes = new Uint8Array(memory.buffer);
  /** Calls a WASI function by name. */
  const call = (name: string, ...args: (number | bigint)[]): number =>
    // Host calls take what modules pass; which that is, the test knows.
    (host.imports.wasi_snapshot_preview1[name] as unknown as Call)(...args);
  /** Writes text at an address; returns its length in bytes. */
  const put = (text: string, at: number): number => {
    const encoded = new TextEncoder().encode(text);
    bytes.set(encoded, at);
    return encoded.length;
  };
  return { host, memory, bytes, view: new DataView(memory.buffer), call, put };
}

export type TestHost = ReturnType<typeof aHost>;
