import { z } from 'zod';
import { hostPreferences, hostState, hostWishes } from './host-wishes.js';
import { decimalString, displayName, entityId, isoInstant, pageOf, plainText } from './primitives.js';
import { hostKind } from './states.js';

export const hostFacts = z
  .strictObject({
    name: displayName,
    kind: hostKind,
    platform: plainText(40).default('unknown').describe('Such as `linux-x64`.'),
    cores: z
      .number()
      .int()
      .min(1)
      .max(1024)
      .describe('As the machine counts them; a new one counts as fewer until its results are confirmed.'),
    memoryMiB: z
      .number()
      .int()
      .min(1)
      .max(1 << 26),
    agentVersion: plainText(40).default('unknown'),
    isNamed: z
      .boolean()
      .optional()
      .describe(
        "Its owner has chosen the name, for the leaderboards to show; otherwise it is the machine's own, and they do not.",
      ),
  })
  .meta({ id: 'HostFacts' });
export type HostFacts = z.infer<typeof hostFacts>;

/** With a `work` token the host joins that account; without one an anonymous account is made for it. */
export const attachHost = z.strictObject({ host: hostFacts }).meta({ id: 'AttachHost' });
export const attachedHost = z
  .strictObject({
    hostId: entityId,
    accountId: entityId,
    anonymous: z.boolean().describe('It got an account of its own, which somebody may claim with `secret`.'),
    secret: z.string().describe('A token that can only work, and only as this machine. Shown this once.'),
    coordinator: z.strictObject({ name: z.string(), url: z.string() }),
  })
  .meta({ id: 'AttachedHost' });
export type AttachedHost = z.infer<typeof attachedHost>;

export const host = z
  .strictObject({
    id: entityId,
    accountId: entityId,
    name: z.string(),
    publicName: z
      .string()
      .describe(
        'What the leaderboards call it: `host 12` until its owner names it, and always where it joined without an account.',
      ),
    kind: hostKind,
    platform: z.string(),
    cores: z.number().int(),
    memoryMiB: z.number().int().describe("The machine's own; what it offers is in its preferences."),
    createdAt: isoInstant,
    lastSeenAt: isoInstant.nullable().describe('To the minute or so; null: it has never called.'),
    inProgress: z.number().int().describe('Tasks that it has at this moment.'),
    validTasks: z.number().int().describe('On whose results independent volunteers agreed.'),
    invalidTasks: z.number().int().describe('Whose results differ from what others agreed on.'),
    errorTasks: z.number().int().describe('That it could not compute, and said so.'),
    lostTasks: z.number().int().describe('Whose deadline passed, and no result has come since.'),
    abortedTasks: z.number().int().describe('Given back, or no longer wanted.'),
    allowance: z.strictObject({
      perDay: z
        .number()
        .int()
        .describe(
          'Tasks that it may take on a day of UTC: each valid one doubles it, each invalid one halves it.',
        ),
      usedToday: z.number().int(),
      resetsAt: isoInstant,
    }),
    held: z
      .string()
      .nullable()
      .describe('Why it gets no work and earns nothing until an operator releases it; null: it is not held.'),
    credit: decimalString.describe('Validated cycles of approved apps that it computed.'),
    agentVersion: z.string().describe('As it said when it attached.'),
    wishes: hostWishes.describe(
      'What its owner asks of it from afar; what is said at the machine itself goes first.',
    ),
    state: hostState
      .extend({ at: isoInstant.describe('Since when.') })
      .nullable()
      .describe(
        "What it last said of itself; null: nothing, or nothing for 11 minutes, or it is another person's machine.",
      ),
  })
  .meta({ id: 'Host' });
export type Host = z.infer<typeof host>;

/** What the owner may change from afar; `If-Match` carries the ETag of the version that was read. null: no preferences. */
export const updateHost = z
  .strictObject({
    name: displayName.optional().describe('From then on the leaderboards show it.'),
    run: hostWishes.shape.run.optional(),
    preferences: hostPreferences
      .nullable()
      .optional()
      .describe('All of them at once; null: none, so that each has its default.'),
  })
  .meta({ id: 'UpdateHost' });
export type UpdateHost = z.infer<typeof updateHost>;

export const holdHost = z
  .strictObject({
    reason: plainText(500)
      .min(1)
      .nullable()
      .describe('For its owner to read. null releases it: what it computed meanwhile is then paid.'),
  })
  .meta({ id: 'HoldHost' });

export const hostPage = pageOf(host);
