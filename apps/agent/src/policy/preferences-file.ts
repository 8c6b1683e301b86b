import { readFile } from 'node:fs/promises';
import {
  DEFAULT_IDLE_PREFERENCES,
  parseHourRange,
  type HourRange,
  type IdlePreferences,
  type WeeklyHours,
} from '@gleaner/domain';
import { hostPreferences, schemaFaults, WEEKDAYS } from '@gleaner/protocol';
import { z } from 'zod';
import type { DataDirectory } from '../data-directory.js';
import { AgentError, EXIT } from '../exit-codes.js';
import { swarmPreferencesFields } from '../swarm/swarm-preferences-file.js';

export const PREFERENCES_NAME = 'preferences.json';

const hourRange = z.string().transform((text, context): HourRange => {
  try {
    return parseHourRange(text);
  } catch (error) {
    context.addIssue(error instanceof Error ? error.message : String(error));
    return z.NEVER;
  }
});
// One range may stand alone.
const hourRanges = z.preprocess(
  (value) => (typeof value === 'string' ? [value] : value),
  z.array(hourRange).max(24),
);
const weekly = z.partialRecord(z.enum(['everyday', ...WEEKDAYS]), hourRanges);

/**
 * What a volunteer writes; everything that is left out has its default. Shares are percentages, names carry units. All that
 * the website may ask for is understood, and hours are read more kindly.
 */
const preferencesFile = hostPreferences.extend({
  hours: weekly.nullable().optional(),
  ...swarmPreferencesFields,
});
export type PreferencesFile = z.infer<typeof preferencesFile>;

/** Fills in the defaults. */
export function completePreferences(file: PreferencesFile): IdlePreferences {
  const defaults = DEFAULT_IDLE_PREFERENCES;
  const share = (value: number | undefined, otherwise: number): number =>
    value === undefined ? otherwise : value / 100;
  return {
    whileInUse: file.whileInUse ?? defaults.whileInUse,
    inUseForMs: file.inUseMinutes === undefined ? defaults.inUseForMs : file.inUseMinutes * 60_000,
    cores: {
      idle: file.cores?.idle ?? defaults.cores.idle,
      inUse: file.cores?.inUse ?? defaults.cores.inUse,
    },
    duty: {
      idle: share(file.cpuTimePercent?.idle, defaults.duty.idle),
      inUse: share(file.cpuTimePercent?.inUse, defaults.duty.inUse),
    },
    memory: {
      idle: share(file.memoryPercent?.idle, defaults.memory.idle),
      inUse: share(file.memoryPercent?.inUse, defaults.memory.inUse),
    },
    maxCpuByOthers:
      file.maxCpuByOthersPercent === null
        ? null
        : share(file.maxCpuByOthersPercent, defaults.maxCpuByOthers ?? 1),
    onBattery: file.onBattery ?? defaults.onBattery,
    minBatteryCharge: share(file.minBatteryPercent, defaults.minBatteryCharge),
    maxTemperatureC: file.maxTemperatureC === undefined ? defaults.maxTemperatureC : file.maxTemperatureC,
    minFreeDiskMiB: file.minFreeDiskMiB ?? defaults.minFreeDiskMiB,
    hours: file.hours ? weeklyHours(file.hours) : null,
  };
}

/** Text of the file, `{}` where there is none; editors of Windows begin it with a byte order mark, which is none of it. */
export async function readPreferencesText(directory: DataDirectory): Promise<string> {
  try {
    return (await readFile(directory.file(PREFERENCES_NAME), 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '{}';
    throw error;
  }
}

/**
 * Understands what a volunteer wrote.
 *
 * @throws {AgentError} that names the file and what is wrong in it
 */
export function parsePreferences(text: string, path: string): PreferencesFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AgentError(`${path} is not JSON: ${String(error)}`, EXIT.usage, { cause: error });
  }
  const parsed = preferencesFile.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = schemaFaults(preferencesFile, value, parsed.error.issues).map(({ pointer, detail }) => {
    const where = pointer.slice(1).replaceAll('/', '.');
    return where === '' ? detail : `${where}: ${detail}`;
  });
  throw new AgentError(`${path}: ${problems.join('; ')}`, EXIT.usage, { cause: parsed.error });
}

function weeklyHours(hours: NonNullable<PreferencesFile['hours']>): WeeklyHours {
  const everyday = hours.everyday ?? [];
  return Object.fromEntries(WEEKDAYS.map((day) => [day, hours[day] ?? everyday]));
}
