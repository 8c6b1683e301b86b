import { readFileSync } from 'node:fs';
import { hostWishes, type HostWishes } from '@gleaner/protocol';
import { z } from 'zod';
import type { DataDirectory } from '../data-directory.js';

const NAME = 'wishes.json';

const keptWishes = z.object({ v: z.literal(1), wishes: hostWishes, receivedAtMs: z.number() });

/** What was asked of this machine on a project's website, and when it heard of it. */
export interface KeptWishes {
  readonly wishes: HostWishes;
  readonly receivedAtMs: number;
}

/** A file that is absent or damaged asks for nothing; the coordinator says it again. */
export function readWishes(directory: DataDirectory): KeptWishes | null {
  try {
    return keptWishes.parse(JSON.parse(readFileSync(directory.file(NAME), 'utf8')));
  } catch {
    return null;
  }
}

export async function writeWishes(directory: DataDirectory, kept: KeptWishes): Promise<void> {
  await directory.writeWhole(NAME, JSON.stringify({ v: 1, ...kept }));
}
