import { readdirSync } from 'node:fs';
import type { Probe, ReadText } from './probe.js';

const ROOT = '/sys/class/thermal';
/** Sensors that are not connected report nonsense such as -274 or 255. */
const PLAUSIBLE_C = { min: -40, max: 150 };

/** The hottest of the kernel's thermal zones; sensors come with the machine, so they are looked up once. */
export class Temperature implements Probe<number> {
  readonly #paths: readonly string[];

  constructor(
    private readonly readText: ReadText,
    zones: readonly string[] = listZones(),
  ) {
    this.#paths = zones.map((zone) => `${ROOT}/${zone}/temp`);
  }

  read(): number | null {
    const readings = this.#paths
      .map((path) => Number.parseInt(this.readText(path) ?? '', 10) / 1000)
      .filter((celsius) => celsius >= PLAUSIBLE_C.min && celsius <= PLAUSIBLE_C.max);
    return readings.length === 0 ? null : Math.max(...readings);
  }
}

function listZones(): string[] {
  try {
    return readdirSync(ROOT).filter((name) => name.startsWith('thermal_zone'));
  } catch {
    return [];
  }
}
