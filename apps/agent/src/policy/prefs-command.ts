import { rename } from 'node:fs/promises';
import { formatHourRange } from '@gleaner/domain';
import type { DataDirectory } from '../data-directory.js';
import { AgentError, EXIT } from '../exit-codes.js';
import { completeSwarmPreferences, describeSwarmPreferences } from '../swarm/swarm-preferences-file.js';
import {
  completePreferences,
  parsePreferences,
  PREFERENCES_NAME,
  readPreferencesText,
  type PreferencesFile,
} from './preferences-file.js';

export interface PrefsCommand {
  readonly directory: DataDirectory;
  /** `name=value`; names of inner fields follow a dot, an empty value restores the default. */
  readonly changes: readonly string[];
  readonly json: boolean;
}

/** Shows the preferences, after changing them where told to. A running agent follows within a second. */
export async function prefs({ directory, changes, json }: PrefsCommand): Promise<void> {
  const path = directory.file(PREFERENCES_NAME);
  let text = await readPreferencesText(directory);
  if (changes.length > 0) {
    const before = objectIn(text);
    const changed = changes.reduce(changedBy, before ?? {});
    text = `${JSON.stringify(changed, null, 2)}\n`;
    parsePreferences(text, changes.join(' '));
    await directory.create();
    if (before === null) await putAside(path);
    await directory.writeWhole(PREFERENCES_NAME, text);
  }
  const written = parsePreferences(text, path);
  if (json) {
    const swarm = completeSwarmPreferences(written);
    const inForce = { ...completePreferences(written), swarm };
    process.stdout.write(`${JSON.stringify({ path, written, inForce })}\n`);
    return;
  }
  process.stdout.write(`${describe(written).join('\n')}\n`);
  process.stderr.write(`Kept in ${path}; change with: gleaner agent prefs NAME=VALUE\n`);
}

type JsonObject = Readonly<Record<string, unknown>>;

function changedBy(object: JsonObject, change: string): JsonObject {
  const match = /^([A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z]+)?)=(.*)$/.exec(change);
  if (!match) throw new AgentError(`"${change}" is not NAME=VALUE`, EXIT.usage);
  const [name = '', inner] = (match[1] ?? '').split('.');
  const text = match[2] ?? '';
  const value = valueOf(text);
  if (inner === undefined) requireParts(name, text, value);
  return withField(
    object,
    name,
    inner === undefined ? value : withField(jsonFields(object[name]), inner, value),
  );
}

/** Preferences that are objects, and the parts that most people mean. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  cores: ['idle', 'inUse'],
  cpuTimePercent: ['idle', 'inUse'],
  memoryPercent: ['idle', 'inUse'],
  hours: ['everyday', 'monday'],
};

function requireParts(name: string, text: string, value: unknown): void {
  const parts = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
  if (parts === undefined || value === undefined || typeof value === 'object') return;
  const ways = parts.map((part) => `${name}.${part}=${text}`).join(' or ');
  throw new AgentError(`"${name}" has parts: write ${ways}`, EXIT.usage);
}

function withField(object: JsonObject, name: string, value: unknown): JsonObject {
  const others = Object.entries(object).filter(([key]) => key !== name);
  return Object.fromEntries(value === undefined ? others : [...others, [name, value]]);
}

/** JSON where it is some, else the text itself; empty for "the default". */
function valueOf(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Null: the file is damaged, and what it says is not known. */
function objectIn(text: string): JsonObject | null {
  const value = valueOf(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}

/** The first change replaces a damaged file, which may hold what the volunteer has limited. */
async function putAside(path: string): Promise<void> {
  await rename(path, `${path}.damaged`);
  process.stderr.write(
    `What was in ${path} could not be understood: it is put aside as ${PREFERENCES_NAME}.damaged, and everything else has its default.\n`,
  );
}

function jsonFields(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function describe(written: PreferencesFile): string[] {
  const inForce = completePreferences(written);
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  return [
    `while the machine is in use    ${inForce.whileInUse} (whileInUse)`,
    `in use for after input         ${inForce.inUseForMs / 60_000} min (inUseMinutes)`,
    `cores, idle / in use           ${inForce.cores.idle ?? 'all'} / ${inForce.cores.inUse ?? 'all but one'} (cores.idle, cores.inUse)`,
    `share of the time              ${percent(inForce.duty.idle)} / ${percent(inForce.duty.inUse)} (cpuTimePercent.idle, .inUse)`,
    `share of the memory            ${percent(inForce.memory.idle)} / ${percent(inForce.memory.inUse)} (memoryPercent.idle, .inUse)`,
    `pause above CPU by others      ${inForce.maxCpuByOthers === null ? 'never' : percent(inForce.maxCpuByOthers)} (maxCpuByOthersPercent)`,
    `on battery                     ${inForce.onBattery}, never below ${percent(inForce.minBatteryCharge)} (onBattery, minBatteryPercent)`,
    `pause at temperature           ${inForce.maxTemperatureC === null ? 'never' : `${inForce.maxTemperatureC} °C`} (maxTemperatureC)`,
    `disk to leave free             ${inForce.minFreeDiskMiB} MiB (minFreeDiskMiB)`,
    `hours by this machine's clock  ${written.hours ? hoursText(written.hours) : 'always'} (hours.everyday, hours.monday, …)`,
    ...describeSwarmPreferences(written),
  ];
}

function hoursText(hours: NonNullable<PreferencesFile['hours']>): string {
  const days = Object.entries(hours).map(
    ([day, ranges]) => `${day} ${ranges.map(formatHourRange).join(' and ')}`,
  );
  return days.length === 0 ? 'never' : days.join(', ');
}
