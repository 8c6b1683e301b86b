import { z } from 'zod';
import { admissionReport } from './apps.js';
import { host } from './hosts.js';
import { LIMITS } from './limits.js';
import { entityId, isoInstant, pageOf, plainText, slug } from './primitives.js';

export const pauseDispatch = z
  .strictObject({
    reason: plainText(LIMITS.reasonLength)
      .trim()
      .min(1)
      .describe('Every machine that asks for work is told it, and everybody who looks at the status.'),
  })
  .meta({ id: 'PauseDispatch' });

export const dispatchPause = z
  .strictObject({ reason: z.string(), since: isoInstant })
  .meta({ id: 'DispatchPause' });
export type DispatchPause = z.infer<typeof dispatchPause>;

/** A day of UTC whose statistics are counted again. */
export const recountStatistics = z
  .strictObject({ day: z.iso.date().describe('Of UTC, such as `2026-11-22`.') })
  .meta({ id: 'RecountStatistics' });

export const queueStatus = z
  .strictObject({
    name: z.string().describe('What its entries are for; all lanes of `dispatch` are one.'),
    waiting: z.number().int().describe('For somebody who works on them now.'),
    delayed: z.number().int().describe('Whose time has not come.'),
    active: z.number().int().describe('Being worked on.'),
    failed: z
      .number()
      .int()
      .describe(
        'Those that are kept to be looked at, the last hundred of each; sweeps do again what they were for.',
      ),
    oldestWaitingSeconds: z
      .number()
      .nullable()
      .describe('Age of the entry that waits longest; null where none waits.'),
  })
  .meta({ id: 'QueueStatus' });
export type QueueStatus = z.infer<typeof queueStatus>;

/** How the server is, for everybody: what BOINC projects call their server status. */
export const serverStatus = z
  .strictObject({
    name: z.string(),
    at: isoInstant,
    dispatchPaused: dispatchPause.nullable().describe('null while machines get work.'),
    database: z.strictObject({
      up: z.boolean(),
      latencyMs: z.number().describe('Of one question that costs nothing.'),
      sizeBytes: z.number().int(),
    }),
    queues: z
      .array(queueStatus)
      .nullable()
      .describe('null while the queue does not answer: no job gets any further then.'),
    tasksInProgress: z.number().int().describe('Those that machines have at this moment.'),
    hosts: z.strictObject({
      seenLastHour: z.number().int(),
      held: z.number().int().describe('That get no work until an operator has looked at them.'),
    }),
    jobs: z.record(z.string(), z.number().int()).describe('By state; a state that no job is in is left out.'),
  })
  .meta({ id: 'ServerStatus' });
export type ServerStatus = z.infer<typeof serverStatus>;

/** What waits for an operator's decision. */
export const operatorInbox = z
  .strictObject({
    projects: z
      .array(
        z.strictObject({
          slug,
          name: z.string(),
          description: z.string(),
          createdAt: isoInstant,
          creator: z.strictObject({
            id: entityId,
            name: z.string(),
            email: z.string().nullable().describe('null: they have not signed up with one.'),
          }),
        }),
      )
      .describe('Up to 100, the first of everybody before the second of anybody.'),
    appVersions: z
      .array(
        z.strictObject({
          app: slug,
          version: z.string(),
          project: slug,
          createdAt: isoInstant,
          publisher: z.strictObject({ id: entityId, name: z.string() }),
          report: admissionReport,
        }),
      )
      .describe('Up to 100, those that wait longest first.'),
    heldHosts: z
      .array(host)
      .describe('Up to 100, without what they say of themselves, which only their owners see.'),
  })
  .meta({ id: 'OperatorInbox' });
export type OperatorInbox = z.infer<typeof operatorInbox>;

export const auditEntry = z
  .strictObject({
    id: entityId,
    at: isoInstant,
    account: z
      .strictObject({ id: entityId, name: z.string() })
      .nullable()
      .describe('null: the coordinator itself.'),
    action: z.string().describe('Such as `host.hold`.'),
    subject: z.string().describe('What it was done to, such as `host 12`.'),
    detail: z
      .record(z.string(), z.unknown())
      .describe('What belongs to the action, such as the `reason` of a hold.'),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof auditEntry>;
export const auditPage = pageOf(auditEntry).meta({ id: 'AuditPage' });
