import { readdirSync } from 'node:fs';
import { PolledProbe } from './polled-probe.js';
import type { Probe, ReadText } from './probe.js';
import type { RunCommand } from './run-command.js';
import { currentSystem } from './system.js';

export interface BatteryReading {
  readonly isDischarging: boolean;
  /** 0 to 1. */
  readonly charge: number | null;
}

const POWER_SUPPLIES = '/sys/class/power_supply';
const EVERY_MS = 30_000;
const TIMEOUT_MS = 10_000;

/** The probe for this system; a machine without a battery is unknown for ever. */
export function batteryProbe(readText: ReadText, run: RunCommand): Probe<BatteryReading> {
  switch (currentSystem()) {
    case 'macos':
      return polled(async (signal) => parsePmset(await run('pmset', ['-g', 'batt'], signal)));
    case 'windows':
      return polled(async (signal) => parseWin32Battery(await run('powershell.exe', WIN32_BATTERY, signal)));
    case 'linux':
      return { read: () => readPowerSupplies(listSupplies(), readText) };
  }
}

/** The kernel's power supplies: discharging is what any battery says of itself. */
export function readPowerSupplies(names: readonly string[], readText: ReadText): BatteryReading | null {
  const field = (name: string, file: string): string | undefined =>
    readText(`${POWER_SUPPLIES}/${name}/${file}`)?.trim();
  // Mice and headsets have batteries of their own, with the scope "Device".
  const batteries = names.filter(
    (name) => field(name, 'type') === 'Battery' && field(name, 'scope') !== 'Device',
  );
  if (batteries.length === 0) return null;
  const charges = batteries
    .map((name) => Number.parseInt(field(name, 'capacity') ?? '', 10) / 100)
    .filter((charge) => charge >= 0 && charge <= 1);
  return {
    isDischarging: batteries.some((name) => field(name, 'status') === 'Discharging'),
    charge: charges.length === 0 ? null : Math.min(...charges),
  };
}

/** `pmset -g batt` of macOS. */
export function parsePmset(text: string): BatteryReading | null {
  const battery = /\t(\d{1,3})%; *([a-z ]+)/i.exec(text);
  if (!battery) return null;
  return { isDischarging: /drawing from 'Battery Power'/i.test(text), charge: Number(battery[1]) / 100 };
}

const WIN32_BATTERY = [
  '-NoProfile',
  '-NonInteractive',
  '-Command',
  'Get-CimInstance Win32_Battery | ForEach-Object { "$($_.BatteryStatus) $($_.EstimatedChargeRemaining)" }',
];

/** A line a battery: its status and its charge in percent. Status 1 is discharging, 4 and 5 are low and critical. */
export function parseWin32Battery(text: string): BatteryReading | null {
  const batteries = text.split(/\r?\n/).flatMap((line) => {
    const match = /^(\d+) (\d{1,3})$/.exec(line.trim());
    return match ? [{ status: Number(match[1]), charge: Number(match[2]) / 100 }] : [];
  });
  if (batteries.length === 0) return null;
  return {
    isDischarging: batteries.some(({ status }) => status === 1 || status === 4 || status === 5),
    charge: Math.min(1, ...batteries.map(({ charge }) => charge)),
  };
}

function polled(poll: (signal: AbortSignal) => Promise<BatteryReading | null>): Probe<BatteryReading> {
  return new PolledProbe({ poll, everyMs: EVERY_MS, timeoutMs: TIMEOUT_MS });
}

function listSupplies(): string[] {
  try {
    return readdirSync(POWER_SUPPLIES);
  } catch {
    return [];
  }
}
