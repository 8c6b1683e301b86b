import { hash } from 'node:crypto';
import type { ByteSource } from '../wasi/byte-source.js';
import { sourceOfPieces } from '../wasi/byte-source.js';
import { HostSeat } from '../wasi/host-seat.js';
import type { RootEntry } from '../wasi/wasi-host.js';
import { DiskSource } from './disk-source.js';
import { RunnableModule } from './runnable-module.js';
import { resultOf } from './unit-result.js';
import type { InputContent, UnitResult, UnitToRun } from './types.js';
import { UnitExecution } from './unit-execution.js';

/** A unit of one module; its wall clock is not watched. */
export type InProcessUnit = Omit<UnitToRun, 'module' | 'moduleSha256'> & {
  /** Instead of /input, /tmp and /output: one writable tree (null: none), for programs written for other hosts. */
  readonly root?: Iterable<RootEntry> | null;
  /** Bound on the kept end of stderr, 4 KiB where absent. */
  readonly stderrBytes?: number;
};

/**
 * Runs units of one module in this very process, which they can keep busy and whose memory they share: for tests,
 * benchmarks and conformance suites, never for a volunteer's work.
 */
export class InProcessRunner {
  readonly #module: RunnableModule;
  readonly #seat = new HostSeat();

  /** @throws WebAssembly.CompileError where the bytes are no valid module */
  constructor(moduleBytes: Uint8Array) {
    this.#module = new RunnableModule(moduleBytes);
  }

  run(unit: InProcessUnit): UnitResult {
    const startedAt = performance.now();
    const inputs = new Map<string, ByteSource>();
    for (const [name, content] of Object.entries(unit.inputs)) inputs.set(name, openInput(content));
    const execution = new UnitExecution({ ...unit, module: this.#module, inputs }, {}, this.#seat);
    let ending = execution.begin();
    while (ending === null) ending = execution.step();
    for (const source of inputs.values()) source.close?.();
    const wallMs = performance.now() - startedAt;
    const result = resultOf(ending, execution, { cpuMs: wallMs, wallMs }, (bytes) =>
      hash('sha256', bytes, 'hex'),
    );
    execution.leave();
    this.#seat.leave();
    return result;
  }
}

function openInput(content: InputContent): ByteSource {
  switch (content.kind) {
    case 'bytes':
      return sourceOfPieces([content.bytes]);
    case 'pieces':
      return sourceOfPieces(content.pieces);
    case 'files':
      return new DiskSource(content.pieces);
  }
}
