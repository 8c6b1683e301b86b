import { availableParallelism } from 'node:os';
import type { ControlWish, IdleSignals } from '@gleaner/domain';
import { batteryProbe, type BatteryReading } from './battery.js';
import { CpuByOthers, type CpuSample } from './cpu-by-others.js';
import { readCpuTimes } from './cpu-times.js';
import { readFreeDisk } from './disk.js';
import { inputProbe } from './input-probe.js';
import { readMemory } from './memory.js';
import { PolledProbe } from './polled-probe.js';
import { parsePressure } from './pressure.js';
import type { Probe } from './probe.js';
import { parsePsTree, readProcessTree, type TreeUsage } from './process-tree.js';
import { readText } from './read-text.js';
import { runCommand } from './run-command.js';
import { Temperature } from './temperature.js';
import { currentSystem } from './system.js';

/** Everything that the idle policy wants to know about this machine. */
export class MachineProbes implements Disposable {
  readonly #input: Probe<number> = inputProbe(runCommand);
  readonly #battery: Probe<BatteryReading> = batteryProbe(readText, runCommand);
  readonly #temperature = new Temperature(readText);
  readonly #ownTree: Probe<TreeUsage> = ownTreeProbe();
  readonly #cpuByOthers = new CpuByOthers(() => this.#cpuSample());

  private constructor(private readonly directory: string) {}

  /** @param directory where the agent keeps its data */
  static async open(directory: string): Promise<MachineProbes> {
    const probes = new MachineProbes(directory);
    await Promise.all([probes.#input.ready?.(), probes.#battery.ready?.(), probes.#ownTree.ready?.()]);
    return probes;
  }

  read(control: ControlWish): IdleSignals {
    const { totalMiB, availableMiB } = readMemory(readText);
    return {
      control,
      cores: availableParallelism(),
      inputAgeMs: this.#input.read(),
      cpuByOthers: this.#cpuByOthers.read(),
      cpuPressure: parsePressure(readText('/proc/pressure/cpu') ?? ''),
      memoryPressure: parsePressure(readText('/proc/pressure/memory') ?? ''),
      battery: this.#battery.read(),
      temperatureC: this.#temperature.read(),
      memory: { totalMiB, availableMiB, ownMiB: this.#ownTree.read()?.memoryMiB ?? 0 },
      freeDiskMiB: readFreeDisk(this.directory),
    };
  }

  [Symbol.dispose](): void {
    for (const probe of [this.#input, this.#battery, this.#ownTree]) probe.close?.();
  }

  #cpuSample(): CpuSample | null {
    const all = readCpuTimes(readText);
    const own = this.#ownTree.read();
    return all && own && { atMs: performance.now(), all, ownMs: own.cpuMs };
  }
}

/** Windows tells a process's children only at a price that is not worth it: there the CPU of others stays unknown. */
function ownTreeProbe(): Probe<TreeUsage> {
  switch (currentSystem()) {
    case 'macos':
      return new PolledProbe({
        poll: async (signal) =>
          parsePsTree(await runCommand('ps', ['-axo', 'pid=,ppid=,rss=,time='], signal), process.pid),
        everyMs: 5_000,
        timeoutMs: 3_000,
      });
    case 'windows':
      return { read: () => null };
    case 'linux':
      return { read: () => readProcessTree(process.pid, readText) };
  }
}
