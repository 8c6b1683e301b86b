import { z } from 'zod';
import { hostPreferences, hostState, hostWishes } from './host-wishes.js';
import { decimalString, displayName, entityId, isoInstant, pageOf, plainText } from './primitives.js';
import { hostKind } from './states.js';

export const hostFacts = z
  .strictObject({
    name: displayName,
    kind: hostKind,
    platform: plainText(40).default('unknown'),
    cores: z.number().int().min(1).max(1024),
    memoryMiB: z
      .number()
      .int()
      .min(1)
      .max(1 << 26),
    agentVersion: plainText(40).default('unknown'),
    /** The owner has chosen the name, for the boards to show; otherwise it is the machine's own, and they do not. */
    isNamed: z.boolean().optional(),
  })
  .meta({ id: 'HostFacts' });
export type HostFacts = z.infer<typeof hostFacts>;

/** With a `work` token the host joins that account; without one an anonymous account is made for it. */
export const attachHost = z.strictObject({ host: hostFacts }).meta({ id: 'AttachHost' });
export const attachedHost = z
  .strictObject({
    hostId: entityId,
    accountId: entityId,
    anonymous: z.boolean(),
    /** A revocable token that can only work, and only as this host. Shown once. */
    secret: z.string(),
    coordinator: z.strictObject({ name: z.string(), url: z.string() }),
  })
  .meta({ id: 'AttachedHost' });
export type AttachedHost = z.infer<typeof attachedHost>;

export const host = z
  .strictObject({
    id: entityId,
    accountId: entityId,
    name: z.string(),
    /** What everybody reads on the boards: `host 12` until the owner gives it a name, and always where it joined without an account. */
    publicName: z.string(),
    kind: hostKind,
    platform: z.string(),
    cores: z.number().int(),
    memoryMiB: z.number().int(),
    createdAt: isoInstant,
    lastSeenAt: isoInstant.nullable(),
    inProgress: z.number().int(),
    validTasks: z.number().int(),
    invalidTasks: z.number().int(),
    errorTasks: z.number().int(),
    /** Their deadline passed, and no result has come since. */
    lostTasks: z.number().int(),
    /** Given back, or no longer wanted. */
    abortedTasks: z.number().int(),
    allowance: z.strictObject({
      perDay: z.number().int(),
      usedToday: z.number().int(),
      resetsAt: isoInstant,
    }),
    held: z.string().nullable(),
    credit: decimalString,
    agentVersion: z.string(),
    /** What the owner asks of it from afar; its version is 0 until something was asked. */
    wishes: hostWishes,
    /** What it last said of itself, since `at`; null: nothing, not lately, or it is not the caller's to know. */
    state: hostState.extend({ at: isoInstant }).nullable(),
  })
  .meta({ id: 'Host' });
export type Host = z.infer<typeof host>;

/** What the owner may change from afar; `If-Match` carries the ETag of the version that was read. null: no preferences. */
export const updateHost = z
  .strictObject({
    name: displayName.optional(),
    run: hostWishes.shape.run.optional(),
    preferences: hostPreferences.nullable().optional(),
  })
  .meta({ id: 'UpdateHost' });
export type UpdateHost = z.infer<typeof updateHost>;

/** Why an operator keeps a host from working; null lets it work again. */
export const holdHost = z.strictObject({ reason: plainText(500).min(1).nullable() }).meta({ id: 'HoldHost' });

export const hostPage = pageOf(host);
