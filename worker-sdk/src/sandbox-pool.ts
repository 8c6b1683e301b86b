import {
  SandboxProcess,
  type RunOptions,
  type SandboxProcessOptions,
  type UnitResult,
  type UnitToRun,
} from '@gleaner/sandbox/runner';
import { FULL_ALLOWANCE, type ComputeAllowance } from './compute-allowance.js';
import { ComputingTime } from './computing-time.js';

/** A sandbox process and what it was told last. */
interface Seat {
  readonly sandbox: SandboxProcess;
  /** Limit of the unit that runs. */
  memoryMiB: number;
  /** Of the unit that runs. */
  computing: ComputingTime;
  isPaused: boolean;
  dutyCycle: number;
}

/** One sandbox process a core, started when first needed and used for one unit after the other. */
export class SandboxPool {
  readonly #idle: Seat[] = [];
  /** Computing or paused, the longest first: what has run longest goes on first. */
  readonly #busy = new Set<Seat>();
  #isClosed = false;
  #allowance: ComputeAllowance = FULL_ALLOWANCE;

  /** @param options which directories the processes may read, and where they may keep snapshots; nothing else */
  constructor(private readonly options: SandboxProcessOptions) {}

  /**
   * Runs the unit in an idle process, or in a new one: the caller bounds how many run at the same time.
   *
   * @param computing is told when the unit computes, and for which share of the time
   */
  async run(
    unit: UnitToRun,
    options: RunOptions,
    computing: ComputingTime = new ComputingTime(),
  ): Promise<UnitResult> {
    const seat = this.#idle.pop() ?? this.#newSeat();
    seat.memoryMiB = unit.limits.memoryMiB;
    seat.computing = computing;
    this.#busy.add(seat);
    this.#applyAllowance();
    try {
      return await seat.sandbox.run(unit, options);
    } finally {
      this.#busy.delete(seat);
      computing.setShare(0);
      if (!this.#isClosed) this.#idle.push(seat);
      this.#applyAllowance();
    }
  }

  /** Pauses, slows down and continues units where they are; their results stay the same. */
  allow(allowance: ComputeAllowance): void {
    this.#allowance = allowance;
    this.#applyAllowance();
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const all = [...this.#idle.splice(0), ...this.#busy];
    await Promise.all(all.map(({ sandbox }) => sandbox.close()));
  }

  #newSeat(): Seat {
    return {
      sandbox: new SandboxProcess(this.options),
      memoryMiB: 0,
      computing: new ComputingTime(),
      isPaused: false,
      dutyCycle: 1,
    };
  }

  #applyAllowance(): void {
    const { cores, dutyCycle, memoryMiB } = this.#allowance;
    let computing = 0;
    let usedMiB = 0;
    for (const seat of this.#busy) {
      const hasRoom = memoryMiB === null || computing === 0 || usedMiB + seat.memoryMiB <= memoryMiB;
      const mayCompute = computing < cores && hasRoom;
      setPaused(seat, !mayCompute);
      setDutyCycle(seat, dutyCycle);
      seat.computing.setShare(mayCompute ? dutyCycle : 0);
      if (!mayCompute) continue;
      computing += 1;
      usedMiB += seat.memoryMiB;
    }
  }
}

function setPaused(seat: Seat, isPaused: boolean): void {
  if (seat.isPaused === isPaused) return;
  seat.isPaused = isPaused;
  if (isPaused) seat.sandbox.pause();
  else seat.sandbox.resume();
}

function setDutyCycle(seat: Seat, dutyCycle: number): void {
  if (seat.dutyCycle === dutyCycle) return;
  seat.dutyCycle = dutyCycle;
  seat.sandbox.setDutyCycle(dutyCycle);
}
