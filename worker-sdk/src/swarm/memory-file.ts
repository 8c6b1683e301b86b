import { Buffer } from 'node:buffer';
import { join } from 'node:path';
import { SWARM_LIMITS } from '@gleaner/protocol';
import type { SwarmMemory } from '@gleaner/swarm/process';
import { z } from 'zod';
import { StateFile } from './state-file.js';

const MAX_KNOWN_PEERS = 200;
const MAX_BANNED = 2000;
const MAX_REVOKED = 2 * SWARM_LIMITS.revokedSerials;

const instant = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const expiringName = z.tuple([z.string().max(64), instant]);
const memorySchema = z.strictObject({
  v: z.literal(1),
  knownPeers: z.array(z.base64().max(8192)).max(MAX_KNOWN_PEERS),
  banned: z.array(expiringName).max(MAX_BANNED),
  revoked: z.array(expiringName).max(MAX_REVOKED),
  revocationsSeen: instant,
  recordSeq: instant,
});

/** What the swarm's process has learnt, from one run of it to the next. */
export class MemoryFile {
  readonly #file: StateFile<z.infer<typeof memorySchema>>;
  #written = '';

  constructor(directory: string) {
    this.#file = new StateFile(join(directory, 'memory.json'), memorySchema);
  }

  /** Undefined where there is none yet, or none that can be understood. */
  async read(): Promise<SwarmMemory | undefined> {
    const kept = await this.#file.read();
    if (!kept) return undefined;
    const knownPeers = kept.knownPeers.map((record) => new Uint8Array(Buffer.from(record, 'base64')));
    return { ...kept, knownPeers };
  }

  /** Writes what has changed; of what is too much the newest. */
  async write(memory: SwarmMemory): Promise<void> {
    const value = {
      v: 1 as const,
      knownPeers: memory.knownPeers
        .slice(-MAX_KNOWN_PEERS)
        .map((record) => Buffer.from(record).toString('base64')),
      banned: memory.banned.slice(-MAX_BANNED).map(([name, untilMs]): [string, number] => [name, untilMs]),
      revoked: memory.revoked.slice(-MAX_REVOKED).map(([name, untilMs]): [string, number] => [name, untilMs]),
      revocationsSeen: memory.revocationsSeen,
      recordSeq: memory.recordSeq,
    };
    const text = JSON.stringify(value);
    if (text === this.#written) return;
    await this.#file.write(value);
    this.#written = text;
  }
}
