import { z } from 'zod';
import { LIMITS } from './limits.js';
import { blobId, sha256Hex } from './primitives.js';
import { peerId, SWARM_LIMITS } from './swarm.js';

const trafficBytes = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/**
 * What moved since the host's last report. `seq` grows with every report (the time in milliseconds will do): a report that is
 * sent again, because the answer got lost, counts once.
 */
export const swarmTrafficReport = z
  .strictObject({
    peerId,
    seq: z
      .number()
      .int()
      .min(0)
      .max(Number.MAX_SAFE_INTEGER)
      .describe('Grows with every report: one that is sent again counts once.'),
    files: z
      .array(
        z.strictObject({
          manifestId: sha256Hex,
          fromPeersBytes: trafficBytes,
          fromOriginBytes: trafficBytes,
          toPeersBytes: trafficBytes,
        }),
      )
      .min(1)
      .max(SWARM_LIMITS.filesPerTrafficReport),
  })
  .meta({ id: 'SwarmTrafficReport' });
export type SwarmTrafficReport = z.infer<typeof swarmTrafficReport>;

/** How widely an input is spread, and what that spared the origin. */
export const swarmInput = z
  .strictObject({
    blobId,
    chunks: z.number().int().min(0),
    chunksPerRun: z
      .number()
      .int()
      .min(1)
      .describe('Chunks that each entry of `copies` stands for, the last one perhaps for fewer.'),
    copies: z
      .array(z.number().int().min(0))
      .max(256)
      .describe("Copies among volunteers of the rarest chunk of each run, in the file's order."),
    minCopies: z.number().int().min(0).describe('Of the rarest chunk of all.'),
    averageCopies: z.number().min(0).describe('Mean over all chunks.'),
  })
  .meta({ id: 'SwarmInput' });

export const jobSwarm = z
  .strictObject({
    inputs: z.array(swarmInput).max(LIMITS.inputsPerJob).describe('The largest ones, up to 64.'),
    savedBytes: z
      .number()
      .int()
      .min(0)
      .describe('Of inputs that volunteers had from each other, and the coordinator therefore did not send.'),
  })
  .meta({ id: 'JobSwarm' });
export type JobSwarm = z.infer<typeof jobSwarm>;
