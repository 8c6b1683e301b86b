import type { Redis } from 'ioredis';
import { z } from 'zod';
import { databaseTrouble } from '../database/index.js';

/** What a Redis begins its refusals with, also inside of scripts. https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
const REFUSALS: ReadonlyArray<readonly [refusal: RegExp, what: string]> = [
  [/\bOOM\b/, 'it is full: all of its maxmemory is used'],
  [/\bMISCONF\b/, 'it takes nothing, as it cannot save to its disk'],
  [/\bREADONLY\b/, 'it is a replica, which takes nothing'],
  [/\bNOREPLICAS\b/, 'it takes nothing while too few replicas follow it'],
  [/max number of clients/, 'it takes no more connections: its maxclients are reached'],
  [/\b(?:NOAUTH|WRONGPASS|NOPERM)\b/, 'it does not let the coordinator in'],
];
const READONLY = /\bREADONLY\b/;

const coded = z.object({ code: z.string() });

/** What is wrong with a queue's backend that answers so; undefined where that is something else. */
export function queueTrouble(error: unknown): string | undefined {
  const { data } = coded.safeParse(error);
  const trouble = data && databaseTrouble(data.code);
  if (trouble !== undefined || !(error instanceof Error)) return trouble;
  return REFUSALS.find(([refusal]) => refusal.test(error.message))?.[1];
}

/** For ioredis: connections to a server that follows another by now live on; new ones reach whoever has its address. */
export function reconnectOnError(error: Error): boolean {
  return READONLY.test(error.message);
}

/** Why this Redis will forget what queues hold; null where it will not, or does not tell. */
export async function whyForgetful(redis: Redis): Promise<string | null> {
  const told = await redis.info('memory').catch(() => '');
  const policy = /^maxmemory_policy:(allkeys-\S+)/m.exec(told)?.[1];
  return policy === undefined ? null : `its maxmemory-policy is ${policy}`;
}
