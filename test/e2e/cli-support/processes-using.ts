import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 50;

/** Command lines of the processes, other than this one, that were started with the path in arguments or environment. */
export function processesUsing(path: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      if (command.includes(path) || environment.includes(path)) found.push(`${pid} ${command}`);
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

/** Resolves when no such process is left; the test's timeout bounds the wait. */
export async function noProcessUses(path: string): Promise<void> {
  while (processesUsing(path).length > 0) await delay(POLL_MS);
}
