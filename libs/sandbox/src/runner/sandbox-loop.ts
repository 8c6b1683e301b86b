import type { ByteSource } from '../wasi/byte-source.js';
import { sourceOfPieces } from '../wasi/byte-source.js';
import { HostSeat } from '../wasi/host-seat.js';
import { messageOf } from './message-of.js';
import type { FinishedUnit, SandboxRequest, SentModule, SentUnit } from './messages.js';
import type { InputContent, UnitResult } from './types.js';
import { Checkpoint } from './checkpoint.js';
import { LeftMemory } from './left-memory.js';
import type { SandboxPlatform } from './sandbox-platform.js';
import { RunnableModule } from './runnable-module.js';
import { resultOf } from './unit-result.js';
import { UnitExecution, type ExecutionHooks } from './unit-execution.js';
import { infrastructureEnding, type Ending } from './unit-ending.js';

/** Results wait at most this long for others to travel with, and messages for the loop to listen. */
const TURN_MS = 5;
/** A unit of so few cycles ends within a turn or so; others start with everything said. */
const SMALL_UNIT_CYCLES = 5_000_000n;
/** So is one whose module's last units all ended within this time, whatever they were allowed. */
const SMALL_UNIT_MS = 1;
const MIN_MS_BETWEEN_REPORTS = 100;
/** Messages of a command wait in this process until it ends, unless the channel takes each at once: memory that the unit does not have. */
const MAX_FRAME_BYTES = 256 * 1024;

/** The inside of a sandbox: takes requests, runs one unit after the other, replies. */
export class SandboxLoop {
  readonly #platform: SandboxPlatform;
  readonly #modules = new Map<string, RunnableModule>();
  readonly #sources = new Map<string, SentModule['source']>();
  /** The longest of each module's last units, older ones counting less and less. */
  readonly #recentMs = new Map<string, number>();
  readonly #seat = new HostSeat();
  readonly #leftMemory: LeftMemory;
  readonly #queue: SentUnit[] = [];
  readonly #dropped = new Set<number>();
  readonly #suspending = new Set<number>();
  #finished: FinishedUnit[] = [];
  #isRunning = false;
  /** While held: resolves when the hold ends. */
  #hold: PromiseWithResolvers<void> | null = null;
  #turnStartedAt = 0;
  /** When the last unit of this turn ended, by CPU time: the next one begins there, which saves asking again. */
  #lastEndCpuMs: number | null = null;

  constructor(platform: SandboxPlatform) {
    this.#platform = platform;
    this.#leftMemory = new LeftMemory(platform.collectGarbage);
  }

  receive(request: SandboxRequest): void {
    switch (request.type) {
      case 'run':
        for (const sha256 of request.evict) {
          this.#modules.delete(sha256);
          this.#sources.delete(sha256);
          this.#recentMs.delete(sha256);
        }
        for (const { sha256, source } of request.modules) this.#sources.set(sha256, source);
        this.#queue.push(...request.units);
        break;
      case 'drop':
        for (const id of request.ids) this.#dropped.add(id);
        return;
      case 'suspend':
        for (const id of request.ids) this.#suspending.add(id);
        return;
      case 'hold':
        this.#setHeld(request.isHeld);
        return;
    }
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    this.#turnStartedAt = performance.now();
    this.#lastEndCpuMs = null;
    for (let unit = this.#next(); unit !== undefined; unit = this.#next()) {
      if (!this.#isSmall(unit)) {
        // Nobody waits for earlier results, or for a drop to be heard, as long as this unit may take.
        this.#queue.unshift(unit);
        await this.#endTurn();
        unit = this.#next();
        if (unit === undefined) break;
      }
      this.#leftMemory.beforeUnit();
      const startedAt = performance.now();
      const finished = await this.#runUnit(unit);
      this.#noteTime(unit, performance.now() - startedAt);
      if (finished === null) this.#platform.send({ type: 'suspended', id: unit.id });
      else this.#finished.push(finished);
      this.#suspending.delete(unit.id);
      await this.#endTurnIfDue();
    }
    this.#flush();
    // What is still in here had begun before the drop was heard.
    this.#dropped.clear();
    this.#leftMemory.whenIdle();
    this.#isRunning = false;
  }

  #isSmall({ limits, moduleSha256 }: SentUnit): boolean {
    const recentMs = this.#recentMs.get(moduleSha256) ?? Infinity;
    return limits.maxCycles <= SMALL_UNIT_CYCLES || recentMs < SMALL_UNIT_MS;
  }

  #noteTime({ moduleSha256 }: SentUnit, ms: number): void {
    this.#recentMs.set(moduleSha256, Math.max(ms, (this.#recentMs.get(moduleSha256) ?? 0) / 2));
  }

  #next(): SentUnit | undefined {
    for (;;) {
      const unit = this.#queue.shift();
      if (unit === undefined || !this.#dropped.delete(unit.id)) return unit;
      this.#platform.send({ type: 'dropped', id: unit.id });
    }
  }

  #setHeld(isHeld: boolean): void {
    if (isHeld) {
      this.#hold ??= Promise.withResolvers();
    } else {
      this.#hold?.resolve();
      this.#hold = null;
    }
  }

  /** Hands results over and listens, often enough that both sides know where the other is. */
  async #endTurnIfDue(): Promise<void> {
    if (performance.now() - this.#turnStartedAt >= TURN_MS) await this.#endTurn();
  }

  async #endTurn(): Promise<void> {
    this.#flush();
    await this.#platform.yield();
    await this.#hold?.promise;
    this.#turnStartedAt = performance.now();
    this.#lastEndCpuMs = null;
  }

  #flush(): void {
    if (this.#finished.length === 0) return;
    this.#platform.send({ type: 'finished', units: this.#finished });
    this.#finished = [];
  }

  /** Null where the unit was suspended. */
  async #runUnit(unit: SentUnit): Promise<FinishedUnit | null> {
    const startedAt = performance.now();
    const cpuAtStart = this.#lastEndCpuMs ?? this.#platform.cpuMs();
    const finish = (ending: Ending, execution: UnitExecution | null): UnitResult => {
      const cpuAtEnd = this.#platform.cpuMs();
      this.#lastEndCpuMs = cpuAtEnd;
      const times = { cpuMs: cpuAtEnd - cpuAtStart, wallMs: performance.now() - startedAt };
      return resultOf(ending, execution, times, (bytes) => this.#platform.sha256Hex(bytes));
    };

    let module: RunnableModule;
    try {
      module = this.#moduleOf(unit.moduleSha256);
    } catch (error) {
      return {
        id: unit.id,
        result: finish(infrastructureEnding(messageOf(error)), null),
        isModuleLost: true,
      };
    }
    const inputs = new Map<string, ByteSource>();
    const executions: UnitExecution[] = [];
    try {
      for (const [name, content] of Object.entries(unit.inputs)) inputs.set(name, this.#open(content));
      const checkpoint = new Checkpoint(unit, this.#platform);
      const start = (): UnitExecution => {
        const execution = new UnitExecution({ ...unit, module, inputs }, this.#hooksOf(unit), this.#seat);
        executions.push(execution);
        return execution;
      };
      const { execution, begun, resumedCycles } = checkpoint.resume(start) ?? begin(start());
      const ending = begun ?? (await this.#stepToEnd(unit.id, execution, checkpoint));
      if (ending === null) return null;
      const result = {
        ...finish(ending, execution),
        ...(resumedCycles === null ? {} : { resumedCycles }),
        ...checkpoint.taken,
      };
      await checkpoint.end(ending);
      return { id: unit.id, result, isModuleLost: false };
    } catch (error) {
      return {
        id: unit.id,
        result: finish(infrastructureEnding(messageOf(error)), null),
        isModuleLost: false,
      };
    } finally {
      for (const execution of executions) this.#leftMemory.add(execution.leave());
      this.#seat.leave();
      for (const source of inputs.values()) source.close?.();
    }
  }

  /** Null where it was suspended. */
  async #stepToEnd(id: number, execution: UnitExecution, checkpoint: Checkpoint): Promise<Ending | null> {
    for (;;) {
      const ending = execution.step();
      if (ending !== null) return ending;
      if (this.#suspending.has(id) && (await checkpoint.keep(execution))) return null;
      await checkpoint.pass(execution);
      await this.#endTurnIfDue();
    }
  }

  #hooksOf({ id, isWatched }: SentUnit): ExecutionHooks {
    let lastProgressAt = -Infinity;
    let lastFrameAt = -Infinity;
    return {
      onProgress: (permille, cycles) => {
        const now = performance.now();
        if (now - lastProgressAt < MIN_MS_BETWEEN_REPORTS) return;
        lastProgressAt = now;
        this.#platform.send({ type: 'progress', id, permille, cycles });
      },
      onFrame: (bytes) => {
        if (!isWatched || bytes.length > MAX_FRAME_BYTES) return;
        const now = performance.now();
        if (now - lastFrameAt < MIN_MS_BETWEEN_REPORTS) return;
        lastFrameAt = now;
        this.#platform.send({ type: 'frame', id, bytes: bytes.slice() });
      },
    };
  }

  #open(content: InputContent): ByteSource {
    switch (content.kind) {
      case 'bytes':
        return sourceOfPieces([content.bytes]);
      case 'pieces':
        return sourceOfPieces(content.pieces);
      case 'files':
        return this.#platform.openFiles(content);
    }
  }

  /** The compiled module, compiled at its first use after its hash was checked. */
  #moduleOf(sha256: string): RunnableModule {
    const known = this.#modules.get(sha256);
    if (known !== undefined) return known;
    const source = this.#sources.get(sha256);
    if (source === undefined) throw new Error(`module ${sha256} was not sent`);
    this.#sources.delete(sha256);
    const bytes = this.#platform.readModule(source);
    const actual = this.#platform.sha256Hex(bytes);
    if (actual !== sha256) throw new Error(`the module's SHA-256 is ${actual}, not ${sha256}`);
    const module = new RunnableModule(bytes);
    this.#modules.set(sha256, module);
    return module;
  }
}

function begin(execution: UnitExecution) {
  return { execution, begun: execution.begin(), resumedCycles: null };
}
