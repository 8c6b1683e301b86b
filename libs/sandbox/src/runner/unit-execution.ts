import { VIRTUAL_STACK_BYTES } from '../admission/virtual-stack.js';
import { ABI } from '../abi.js';
import type { ByteSource } from '../wasi/byte-source.js';
import type { HostSeat } from '../wasi/host-seat.js';
import { StopUnit } from '../wasi/stop-unit.js';
import { WasiHost, type RootEntry } from '../wasi/wasi-host.js';
import type { SnapshotHeader, UnitSnapshot } from './snapshot.js';
import { captureUnit, restoreUnit } from './unit-state.js';
import type { RunnableModule } from './runnable-module.js';
import { CYCLE_LIMIT, endingOf, exitEnding, infrastructureEnding, OK, type Ending } from './unit-ending.js';
import type { UnitLimits, UnitToRun } from './types.js';

/** Of the memory that a unit may use: with so much it may have been refused more. */
const NEARLY_ALL_MEMORY = 0.75;
const PAGES_PER_MIB = 16;
const PAGE_BYTES = 64 * 1024;
const CHARGED_BYTES_PER_CYCLE = 16;
const MIB = 1024 * 1024;

/** A unit whose module is compiled and whose inputs are open. */
export interface ExecutableUnit extends Pick<UnitToRun, 'appName' | 'args' | 'env' | 'outputs' | 'seed'> {
  readonly module: RunnableModule;
  readonly inputs: ReadonlyMap<string, ByteSource>;
  readonly limits: Omit<UnitLimits, 'wallMs'>;
  /** See {@link HostInit.root}: for conformance programs, which expect a writable tree. */
  readonly root?: Iterable<RootEntry> | null;
  /** See {@link HostInit.stderrBytes}: conformance programs may expect more. */
  readonly stderrBytes?: number;
}

export interface ExecutionHooks {
  readonly onProgress?: (permille: number, cycles: bigint) => void;
  /** The bytes are valid only during the call. */
  readonly onFrame?: (bytes: Uint8Array) => void;
}

/**
 * One unit in a fresh instance of its module; the same code in Node and in browsers. A command runs to its end in
 * {@link begin}; a stepping app goes on with {@link step} until it gives an ending. Either is followed by {@link leave}.
 */
export class UnitExecution {
  readonly host: WasiHost;
  readonly #unit: ExecutableUnit;
  #exports: WebAssembly.Exports = {};
  /** To be given back to the module. */
  #memory: WebAssembly.Memory | null = null;
  #cyclesLeft: WebAssembly.Global<'i64'> | null = null;

  /** `seat`: of the units before, which have ended; a new one where absent. */
  constructor(unit: ExecutableUnit, hooks: ExecutionHooks = {}, seat?: HostSeat) {
    this.#unit = unit;
    const init = {
      args: [unit.appName, ...unit.args],
      env: unit.env,
      inputs: unit.inputs,
      keepsStdout: unit.outputs.includes('stdout'),
      outputBytes: unit.limits.outputBytes,
      scratchBytes: unit.limits.memoryMiB * MIB,
      seed: unit.seed,
      ...(unit.root === undefined ? {} : { root: unit.root }),
      ...(unit.stderrBytes === undefined ? {} : { stderrBytes: unit.stderrBytes }),
      charge: (requestedBytes: number) => this.#charge(requestedBytes),
      onProgress: (permille: number) => hooks.onProgress?.(permille, this.cycles),
      onFrame: hooks.onFrame ?? ignore,
    };
    this.host = new WasiHost(init, seat);
  }

  /**
   * Cycles used so far: exact during host calls, between steps and where the code returned or exited. A trap's count says
   * little: what its segment had charged ahead is in it, and what a function had counted in a local, all of a recursion
   * that carries the meters included, is not, except where the app's own `unreachable` trapped.
   */
  get cycles(): bigint {
    const { maxCycles } = this.#unit.limits;
    const used = maxCycles - (this.#cyclesLeft?.value ?? maxCycles);
    return used > maxCycles ? maxCycles : used;
  }

  get isStepping(): boolean {
    return 'gleaner_step' in this.#exports;
  }

  /** Instantiates and runs the app's start and initialisation, and a command entirely. Null: call {@link step} next. */
  begin(): Ending | null {
    return this.#guard(() => {
      const failure = this.#instantiate();
      if (failure !== null) return failure;
      this.#call(ABI.start);
      if (this.isStepping) {
        this.#call('_initialize');
        return null;
      }
      if (!('_start' in this.#exports)) {
        return infrastructureEnding('the module exports neither _start nor gleaner_step');
      }
      this.#call('_start');
      return OK;
    });
  }

  /**
   * Instead of {@link begin}: continues a stepping app from a snapshot of the same unit.
   *
   * @throws TypeError where the snapshot does not fit
   */
  resume(header: SnapshotHeader, payload: Uint8Array): Ending | null {
    const failure = this.#instantiate();
    if (failure !== null) return failure;
    restoreUnit({ exports: this.#exports, host: this.host }, header, payload);
    return null;
  }

  /** The state of a stepping app between two steps. */
  capture(identity: Pick<SnapshotHeader, 'moduleSha256' | 'unitKey'>): UnitSnapshot {
    return captureUnit({ exports: this.#exports, host: this.host }, identity);
  }

  /** One step of a stepping app. Null: there is more to do. */
  step(): Ending | null {
    return this.#guard(() => {
      const answer = this.#call('gleaner_step');
      if (answer > 0) return null;
      return exitEnding(-answer);
    });
  }

  /**
   * Bytes of the declared outputs, in the order of their names; an output that was not written is empty. Null where they are more
   * than the unit may have.
   */
  outputs(): { readonly name: string; readonly bytes: Uint8Array }[] | null {
    const { outputs, limits } = this.#unit;
    let left = limits.outputBytes;
    for (const name of outputs) left -= this.host.outputSize(name);
    if (left < 0) return null;
    return [...outputs].sort().map((name) => ({ name, bytes: this.host.output(name) }));
  }

  /**
   * Lets go of the memory, which may become another unit's: from now on only outputs, stderr and cycles can be asked for.
   *
   * @returns bytes of it that are the engine's to free
   */
  leave(): number {
    this.host.context.memory.detach();
    const isTakenBack = this.#memory !== null && this.#unit.module.takeBack(this.#memory);
    this.#memory = null;
    const memory = this.#exports[ABI.memory];
    return memory instanceof WebAssembly.Memory && !isTakenBack ? memory.buffer.byteLength : 0;
  }

  #instantiate(): Ending | null {
    const { module, limits } = this.#unit;
    const instance = module.instantiate(this.host.imports);
    this.#exports = instance.exports;
    this.#memory = instance.memory;
    const memory = instance.exports[ABI.memory];
    const pages = limits.memoryMiB * PAGES_PER_MIB;
    if (memory instanceof WebAssembly.Memory) {
      if (memory.buffer.byteLength > pages * PAGE_BYTES) {
        return infrastructureEnding(
          `the module starts with ${memory.buffer.byteLength / MIB} MiB of memory, the unit allows ${limits.memoryMiB}`,
        );
      }
      this.host.context.memory.attach(memory);
    }
    const cyclesLeft = this.#global(ABI.cyclesLeft);
    if (cyclesLeft === null) return infrastructureEnding('the module was not admitted: it counts no cycles');
    this.#cyclesLeft = cyclesLeft as WebAssembly.Global<'i64'>;
    this.#cyclesLeft.value = limits.maxCycles;
    this.#set(ABI.pageLimit, pages);
    return null;
  }

  /** Calls an export without arguments, if there is one, with a full virtual stack. */
  #call(name: string): number {
    const entry = this.#exports[name];
    if (typeof entry !== 'function') return 0;
    this.#set(ABI.stackLeft, VIRTUAL_STACK_BYTES);
    return Number((entry as () => unknown)() ?? 0);
  }

  #guard(run: () => Ending | null): Ending | null {
    let ending: Ending | null;
    try {
      ending = run();
    } catch (error) {
      ending = endingOf(error, Number(this.#global(ABI.stop)?.value ?? 0));
    }
    // Code without a check at its end may go a little beyond the limit; it is the limit that counts.
    const isOver = this.#cyclesLeft !== null && this.#cyclesLeft.value < 0n;
    return isOver && (ending === null || ending.outcome === 'ok' || ending.outcome === 'exit')
      ? CYCLE_LIMIT
      : ending && this.#withMemory(ending);
  }

  /** Most languages trap without a word where they are given no more memory. */
  #withMemory(ending: Ending): Ending {
    const { trapKind, message } = ending;
    if (trapKind !== 'unreachable' && trapKind !== 'memory-out-of-bounds') return ending;
    const memory = this.#exports[ABI.memory];
    const usedMiB = memory instanceof WebAssembly.Memory ? memory.buffer.byteLength / MIB : 0;
    const { memoryMiB } = this.#unit.limits;
    if (usedMiB < NEARLY_ALL_MEMORY * memoryMiB) return ending;
    const used = Number(usedMiB.toFixed(1));
    return {
      ...ending,
      message: `${message ?? trapKind}; its memory has ${used} of the ${memoryMiB} MiB that it may use (limits.memoryMiB)`,
    };
  }

  #charge(requestedBytes: number): void {
    if (requestedBytes === 0 || this.#cyclesLeft === null) return;
    const left = this.#cyclesLeft.value - BigInt(Math.ceil(requestedBytes / CHARGED_BYTES_PER_CYCLE));
    this.#cyclesLeft.value = left;
    // All of the limit may be used, as by instructions.
    if (left < 0n) throw new StopUnit({ kind: 'cycle-limit' });
  }

  #global(name: string): WebAssembly.Global | null {
    const value = this.#exports[name];
    return value instanceof WebAssembly.Global ? value : null;
  }

  #set(name: string, value: number): void {
    const global = this.#global(name);
    if (global !== null) global.value = value;
  }
}

function ignore(): void {}
