import type { Redis } from 'ioredis';
import { z } from 'zod';
import { ConfigError, type Role } from '../config/index.js';
import { queueTrouble } from './redis-troubles.js';

/** Older ones lack what queues are built on, and BullMQ works with none of them. */
const MIN_MAJOR = 5;

/** Connections of a coordinator: one for each queue that it works on, one that queues share, one for the board and one for the mark. */
const CONNECTIONS: Readonly<Record<Role, number>> = { api: 3, worker: 18, all: 18 };

/** What stays until the operator changes something; the rest passes by itself, as while a Redis starts. */
const LASTING: ReadonlyArray<readonly [refusal: RegExp, what: string]> = [
  [/\bNOAUTH\b/, 'it asks for a password, and none is given: redis://USER:PASSWORD@HOST:6379'],
  [/\bWRONGPASS\b|invalid password/, 'it does not accept this user or password'],
  [/\bNOPERM\b/, 'its user may not do all that is needed; ~* &* +@all will do'],
  [/unknown command/, 'a command that is needed is switched off there (rename-command)'],
  [/DB index|SELECT is not allowed/, 'it has no database of this number'],
];
/** Node's names for a certificate that nobody vouches for. https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const UNTRUSTED: readonly string[] = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];
const UNFITTING: readonly string[] = ['CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'];
const HUNG_UP: readonly string[] = ['ECONNRESET', 'EPIPE'];

const coded = z.object({ code: z.string() });

/** Says what is in the way of the first answer of a Redis, each reason once, and ends the wait where waiting changes nothing. */
export class FirstContact {
  private readonly told = new Set<string>();
  private readonly over: Promise<never>;
  private giveUp: (reason: Error) => void = () => undefined;
  private isOver = false;

  /**
   * @param tell hears what is waited for
   * @param signal ends the wait
   */
  constructor(
    private readonly tell: (trouble: string) => void,
    signal?: AbortSignal,
  ) {
    this.over = new Promise((_resolve, reject) => {
      this.giveUp = (reason) => {
        // What its connection meets when it is closed is no reason.
        this.isOver = true;
        reject(reason);
      };
    });
    // Aborted without another reason, as here, it is a DOMException.
    const end = (): void => this.giveUp(signal?.reason as Error);
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted === true) end();
    // Nobody may be waiting at that moment.
    this.over.catch(() => undefined);
  }

  /** From here on the queues tell what is wrong with their own connections. */
  made(): void {
    this.isOver = true;
  }

  hear(error: unknown): void {
    if (this.isOver) return;
    const lasting = lastingTrouble(error);
    if (lasting !== null) this.giveUp(new ConfigError([`REDIS_URL: ${lasting}`]));
    else this.say(passingTrouble(error));
  }

  /** Silence says less than what its connection met. */
  hearNothing(ms: number): void {
    if (!this.isOver && this.told.size === 0)
      this.say(
        `it has not answered for ${ms / 1000} s: is this a Redis, and is TLS there as the address says?`,
      );
  }

  /**
   * @throws {ConfigError} where waiting changes nothing
   * @throws whatever the signal was aborted with
   */
  async wait<T>(work: Promise<T>): Promise<T> {
    return await Promise.race([work, this.over]);
  }

  private say(trouble: string): void {
    if (this.told.has(trouble)) return;
    this.told.add(trouble);
    this.tell(trouble);
  }
}

/**
 * Queues and boards are scripts whose keys one server has all, also where it is a cluster of its own; BullMQ works with no server whose version it is not told.
 *
 * @throws {ConfigError} where this Redis will not do
 * @throws {Error} where it has no room for a coordinator of this role yet: a queue without a connection would be worked on by nobody, unnoticed
 */
export async function requireSuited(redis: Redis, role: Role): Promise<void> {
  const told = await redis.info('server');
  const mode = /^redis_mode:(\w+)/m.exec(told)?.[1];
  if (mode === 'sentinel' || (mode === 'cluster' && !(await hasAllKeys(redis))))
    throw new ConfigError([`REDIS_URL: ${ALONE[mode]}`]);
  const version = /^redis_version:([\d.]+)/m.exec(told)?.[1];
  if (version !== undefined && Number.parseInt(version, 10) < MIN_MAJOR)
    throw new ConfigError([`REDIS_URL: its version is ${version}, and ${MIN_MAJOR} or newer is needed`]);
  await redis.eval('return 1', 0);
  const clients = await redis.info('clients');
  const used = Number(/^connected_clients:(\d+)/m.exec(clients)?.[1]);
  const max = Number(/^maxclients:(\d+)/m.exec(clients)?.[1]);
  // This one is among them. Where it does not tell, there is room.
  if (used - 1 + CONNECTIONS[role] > max)
    throw new Error(
      `it takes ${max} connections (maxclients), others have ${used - 1}, and this coordinator needs ${CONNECTIONS[role]}`,
    );
}

/** https://redis.io/docs/latest/commands/cluster-info/: masters that serve at least one slot. */
async function hasAllKeys(redis: Redis): Promise<boolean> {
  return /^cluster_size:1\r?$/m.test(await redis.cluster('INFO'));
}

const ALONE = {
  cluster: 'it is part of a cluster, and Gleaner needs a server that has all keys',
  sentinel: 'it is a sentinel: name the server that it watches, or an address that always leads there',
};

function lastingTrouble(error: unknown): string | null {
  const { message, code } = partsOf(error);
  if (UNTRUSTED.includes(code))
    return 'nobody here vouches for its certificate: NODE_EXTRA_CA_CERTS is to name a file with that of whoever signed it';
  if (UNFITTING.includes(code)) return message;
  const what = LASTING.find(([refusal]) => refusal.test(message))?.[1];
  return what === undefined ? null : `${what} (${message.trim()})`;
}

function passingTrouble(error: unknown): string {
  const { message, code } = partsOf(error);
  if (/\bProtocol error\b/.test(message)) return 'something else than Redis answers there';
  if (HUNG_UP.includes(code))
    return 'it ends connections as they begin: it speaks TLS (rediss://), has no connection left (maxclients), or is no Redis';
  return queueTrouble(error) ?? message;
}

function partsOf(error: unknown): { readonly message: string; readonly code: string } {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return { message, code: coded.safeParse(error).data?.code ?? '' };
}
