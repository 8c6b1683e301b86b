import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's folder, from sources and from compiled tests alike: where package-lock.json is. */
export function repositoryRoot(): string {
  let folder = fileURLToPath(new URL('.', import.meta.url));
  while (!existsSync(join(folder, 'package-lock.json'))) folder = join(folder, '..');
  return folder;
}
