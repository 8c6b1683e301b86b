import type { SimulatedHostInit } from './simulated-host.fixture.js';
import { SimulatedSwarm } from './simulated-swarm.fixture.js';

export const MB = 1_000_000;
export const CHUNKS = 64;
/** All chunks of the file. */
export const everything = Array.from({ length: CHUNKS }, (_, index) => index);
const CHUNK_BYTES = 256 * 1024;
export const SIZE_BYTES = CHUNKS * CHUNK_BYTES;
const ORIGIN_RATE = 5 * MB;
/** What the origin needs to send the file once. */
export const FLOOR_MS = (SIZE_BYTES / ORIGIN_RATE) * 1000;

/** Nobody yet, and an origin that sends `originRate` bytes a second of a file of 16 MiB. */
export function aSwarm(options: { seed?: number; originRate?: number } = {}): SimulatedSwarm {
  const { seed = 1, originRate = ORIGIN_RATE } = options;
  return new SimulatedSwarm({ seed, chunks: CHUNKS, chunkBytes: CHUNK_BYTES, originRate });
}

export function addHosts(swarm: SimulatedSwarm, count: number, init: Partial<SimulatedHostInit> = {}): void {
  for (let index = 0; index < count; index += 1)
    swarm.add({ uplink: 10 * MB, ...init, name: `host-${index}` });
}

export const everybodyIsComplete = (swarm: SimulatedSwarm) => () =>
  swarm.living.every((host) => host.isComplete);

/** How often the origin has sent the file. */
export const originRatio = (swarm: SimulatedSwarm): number => swarm.origin.sentBytes / SIZE_BYTES;
