import { readFileSync } from 'node:fs';

/** Files of /proc and /sys are answered by the kernel at once: reading them takes microseconds. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
