import type { HolderClaim } from '@gleaner/domain';
import { z } from 'zod';

const claim = z.object({
  value: z.object({ hostId: z.string(), have: z.string() }),
  untilMs: z.number(),
});

/** What a host says it has, as the text of a hash's field. */
export function writeClaim({ hostId, have }: HolderClaim, untilMs: number): string {
  return JSON.stringify({ value: { hostId, have: Buffer.from(have).toString('base64') }, untilMs });
}

/** null where it has expired. */
export function readClaim(text: string, nowMs: number): HolderClaim | null {
  const { value, untilMs } = claim.parse(JSON.parse(text));
  if (untilMs <= nowMs) return null;
  return { hostId: value.hostId, have: new Uint8Array(Buffer.from(value.have, 'base64')) };
}

export function readClaims(texts: readonly string[], nowMs: number): HolderClaim[] {
  return texts.flatMap((text) => readClaim(text, nowMs) ?? []);
}
