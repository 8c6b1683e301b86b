import type { RunCommand } from './run-command.js';

/** Milliseconds since the last input in a GNOME session (Wayland or X11), as its compositor tells over D-Bus. */
export async function mutterInputAgeMs(run: RunCommand, signal: AbortSignal): Promise<number | null> {
  return parseMutterIdletime(await run('busctl', MUTTER_IDLETIME, signal));
}

/**
 * Milliseconds since the seat became idle, 0 while it is not, as logind tells over D-Bus: by the clock that nobody can set, which
 * counts from the machine's start. With the other one, put right after the start, the seat would be in use for hours.
 */
export async function logindInputAgeMs(run: RunCommand, signal: AbortSignal): Promise<number | null> {
  const text = await run('busctl', SEAT_IDLE_HINT, signal);
  return parseSeatIdleHint(text, Number(process.hrtime.bigint() / 1000n) / 1000);
}

const MUTTER_IDLETIME = [
  '--user',
  '--json=short',
  'call',
  'org.gnome.Mutter.IdleMonitor',
  '/org/gnome/Mutter/IdleMonitor/Core',
  'org.gnome.Mutter.IdleMonitor',
  'GetIdletime',
];
const SEAT_IDLE_HINT = [
  '--system',
  '--json=short',
  'get-property',
  'org.freedesktop.login1',
  '/org/freedesktop/login1/seat/seat0',
  'org.freedesktop.login1.Seat',
  'CanGraphical',
  'IdleHint',
  'IdleSinceHintMonotonic',
];

/** `{"type":"t","data":[8123]}`. */
export function parseMutterIdletime(text: string): number | null {
  const match = /^\{"type":"t","data":\[(\d+)\]\}$/.exec(text.trim());
  return match ? Number(match[1]) : null;
}

/** Three lines: a boolean, a boolean, and microseconds of the clock of `nowMs`. A seat without graphics has no input rule. */
export function parseSeatIdleHint(text: string, nowMs: number): number | null {
  const [canGraphical, idleHint, since] = text
    .trim()
    .split('\n')
    .map((line) => /^\{"type":"[bt]","data":(true|false|\d+)\}$/.exec(line.trim())?.[1]);
  if (canGraphical !== 'true') return null;
  if (idleHint === 'false') return 0;
  const sinceMs = Number(since ?? 0) / 1000;
  return idleHint === 'true' && sinceMs > 0 ? Math.max(0, nowMs - sinceMs) : null;
}

/** `ioreg -c IOHIDSystem -d 4` of macOS: `"HIDIdleTime" = 1234567890`, in nanoseconds. */
export function parseIoreg(text: string): number | null {
  const match = /"HIDIdleTime" = (\d+)/.exec(text);
  return match ? Number(match[1]) / 1e6 : null;
}

/**
 * Prints the milliseconds since the last input each second, until its stdin ends: starting PowerShell anew for every
 * reading would cost more than many a work unit.
 */
export const WINDOWS_IDLE_SCRIPT = `
Add-Type @'
using System;
using System.Runtime.InteropServices;
public static class LastInput {
  [StructLayout(LayoutKind.Sequential)] struct Info { public uint size; public uint time; }
  [DllImport("user32.dll")] static extern bool GetLastInputInfo(ref Info info);
  public static uint AgeMs() {
    var info = new Info(); info.size = (uint)Marshal.SizeOf(info);
    if (!GetLastInputInfo(ref info)) throw new Exception("no input info");
    return unchecked((uint)Environment.TickCount - info.time);
  }
}
'@
while ($true) { [Console]::Out.WriteLine([LastInput]::AgeMs()); Start-Sleep -Seconds 1 }
`;

/** A line of {@link WINDOWS_IDLE_SCRIPT}. */
export function parseWindowsIdle(line: string): number | null {
  return /^\d{1,10}$/.test(line.trim()) ? Number(line) : null;
}
