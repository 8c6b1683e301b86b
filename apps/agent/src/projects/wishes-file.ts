import { hostWishes, type HostWishes } from '@gleaner/protocol';
import { z } from 'zod';
import type { LogEvent } from '../agent-log.js';
import type { DataDirectory } from '../data-directory.js';
import { readStateFile } from '../state-files.js';

const NAME = 'wishes.json';

const keptWishes = z.object({ v: z.literal(1), wishes: hostWishes, receivedAtMs: z.number() });

/** What was asked of this machine on a project's website, and when it heard of it. */
export interface KeptWishes {
  readonly wishes: HostWishes;
  readonly receivedAtMs: number;
}

/** A file that is absent or damaged asks for nothing. */
export function readWishes(directory: DataDirectory, log: LogEvent): KeptWishes | null {
  const withoutIt = 'what you asked for on the website holds again when the coordinator has said it again';
  return readStateFile(directory, { name: NAME, schema: keptWishes, withoutIt }, log);
}

export async function writeWishes(directory: DataDirectory, kept: KeptWishes): Promise<void> {
  await directory.writeWhole(NAME, JSON.stringify({ v: 1, ...kept }));
}
