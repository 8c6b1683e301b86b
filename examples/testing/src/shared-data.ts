import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Recordings and genomes that do not belong to the repository lie beside it. */
const SHARED_DATA = new URL('../../../../shared/data/', import.meta.url);

/** A file of `../shared/data`, or null (with a message on stderr) where the folder is absent. */
export function readSharedData(path: string): Uint8Array | null {
  const file = fileURLToPath(new URL(path, SHARED_DATA));
  if (existsSync(file)) return readFileSync(file);
  console.warn(`skipped: ${file} is absent`);
  return null;
}
