import { statfsSync } from 'node:fs';

const MIB = 1024 * 1024;

/** Space that this user may still write where the directory lies, in MiB; null where the system does not tell. */
export function readFreeDisk(directory: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return (bavail * bsize) / MIB;
  } catch {
    return null;
  }
}
