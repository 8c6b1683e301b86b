import { MEMORY_IMPORT, memoryAsImport } from './memory-as-import.js';

const PAGE_BYTES = 64 * 1024;
/** Emptying a memory of this size takes less than making one, in whose place the engine reserves 10 GiB of addresses. */
const MOST_PAGES_KEPT = 4;

/**
 * A rewritten module, compiled, of which units get fresh instances. A small memory serves one unit after the other: the
 * module then imports it, and it is empty, as a new one is, whenever an instance begins.
 */
export class RunnableModule {
  readonly #module: WebAssembly.Module;
  /** Null where each instance makes its own. */
  readonly #memory: WebAssembly.MemoryDescriptor | null;
  /** Of the size it began with, all zeros, in no unit's hands. */
  #spare: WebAssembly.Memory | null = null;

  /** @throws WebAssembly.CompileError where the bytes are no valid module */
  constructor(bytes: Uint8Array) {
    const apart = memoryAsImport(bytes);
    if (apart === null || apart.limits.min > MOST_PAGES_KEPT) {
      this.#module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
      this.#memory = null;
      return;
    }
    const { min, max } = apart.limits;
    this.#module = new WebAssembly.Module(apart.bytes as Uint8Array<ArrayBuffer>);
    this.#memory = { initial: min, ...(max === null ? {} : { maximum: max }) };
  }

  /** A fresh instance. {@link takeBack} ends its use of `memory`, which is null where there is nothing to take back. */
  instantiate(imports: WebAssembly.Imports): {
    readonly exports: WebAssembly.Exports;
    readonly memory: WebAssembly.Memory | null;
  } {
    if (this.#memory === null) {
      return { exports: new WebAssembly.Instance(this.#module, imports).exports, memory: null };
    }
    const memory = this.#spare ?? new WebAssembly.Memory(this.#memory);
    // What an instance that fails has written is nobody's to take back.
    this.#spare = null;
    const own = { [MEMORY_IMPORT.module]: { [MEMORY_IMPORT.name]: memory } };
    const { exports } = new WebAssembly.Instance(this.#module, { ...imports, ...own });
    return { exports, memory };
  }

  /**
   * The unit has ended: nothing of it stays in its memory. One that has grown is left alone, since none can shrink. Says whether
   * it serves another unit.
   */
  takeBack(memory: WebAssembly.Memory): boolean {
    if (memory.buffer.byteLength !== (this.#memory?.initial ?? 0) * PAGE_BYTES) return false;
    new Uint8Array(memory.buffer).fill(0);
    this.#spare = memory;
    return true;
  }
}
