import type { ChainableCommander } from 'ioredis';

/** Sends the commands together. `exec` alone says nothing of a command that failed, such as for want of memory. */
export async function execAll(pipeline: ChainableCommander): Promise<void> {
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
}
