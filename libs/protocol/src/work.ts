import { z } from 'zod';
import { hostState, hostWishes } from './host-wishes.js';
import { jobLimits, unitParams, unitWindows } from './job-spec.js';
import { LIMITS } from './limits.js';
import { decimalString, entityId, identifier, sha256Hex, taskId } from './primitives.js';
import { resultReport } from './result.js';
import { blobLocation, heldFile, peerId, signedTicket, SWARM_LIMITS } from './swarm.js';

/** Drawn by an agent at each start: two that work as one host, as in a copied directory, are told apart by it. */
const instance = z.string().regex(/^[0-9a-f]{16}$/, { error: 'must be 16 hex digits' });
/** Two agents work as this host at the same time. Only hosts that name their `instance` are told. */
const isUsedTwice = z.boolean();

/** POST /v1/work: results to hand in and tasks wanted, in one call. */
export const workRequest = z
  .strictObject({
    /** Version that the host speaks; a coordinator that no longer speaks it answers `agent-too-old`. */
    protocol: z.number().int().min(0),
    runtimeVersions: z.array(z.string().max(40)).min(1).max(8),
    instance: instance.optional(),
    reports: z.array(resultReport).max(LIMITS.tasksPerCall).default([]),
    /**
     * Every task that the host has, unreported results included. Tasks that it was given and does not name (the answer got
     * lost on its way) go to others. Without it nothing is concluded.
     */
    holding: z.array(taskId).max(LIMITS.hostTasksInProgress).optional(),
    request: z
      .strictObject({
        maxTasks: z.number().int().min(0).max(LIMITS.tasksPerCall),
        memoryMiB: z
          .number()
          .int()
          .min(1)
          .max(1 << 20),
        cores: z.number().int().min(1).max(1024).default(1),
        /** Version of the wishes that whoever sits at the machine overruled: it asks for work although they say otherwise. */
        overrulesWishes: z.number().int().min(0).optional(),
        /** The host's peer id, once it has a certificate: inputs then come with tickets for the swarm. */
        peerId: peerId.optional(),
        /** Chunks of inputs that the host holds: units that need no others are preferred. */
        held: z.array(heldFile).max(SWARM_LIMITS.heldFiles).optional(),
      })
      .optional(),
    /** Where it has changed since the host last said it. */
    state: hostState.optional(),
  })
  .meta({ id: 'WorkRequest' });
export type WorkRequest = z.infer<typeof workRequest>;
export type WorkRequestInput = z.input<typeof workRequest>;

/**
 * `accepted`: stored. `repeat`: was stored before, nothing changed. `refused`: final, the host forgets the result.
 * `retry`: nothing was stored, send it again later.
 */
export const reportAnswer = z
  .strictObject({
    taskId,
    status: z.enum(['accepted', 'repeat', 'refused', 'retry']),
    reason: z.string().optional(),
  })
  .meta({ id: 'ReportAnswer' });
export type ReportAnswer = z.infer<typeof reportAnswer>;

/** What all tasks of one job in an answer have in common. */
export const workJob = z
  .strictObject({
    jobId: entityId,
    name: z.string(),
    app: z.strictObject({
      name: z.string(),
      version: z.string(),
      /** SHA-256 of the rewritten module, which the host fetches at `moduleUrl` and checks. */
      moduleSha256: sha256Hex,
      moduleUrl: z.string(),
      runtimeVersion: z.string(),
      stepping: z.boolean(),
    }),
    inputs: z.record(
      identifier,
      z.strictObject({
        ...blobLocation.shape,
        /** Lets the asking peer have the input from other volunteers; absent where it has no certificate. */
        swarmTicket: signedTicket.optional(),
      }),
    ),
    args: z.array(z.string()),
    env: z.record(identifier, z.string()),
    outputs: z.array(identifier),
    limits: jobLimits,
  })
  .meta({ id: 'WorkJob' });
export type WorkJob = z.infer<typeof workJob>;

export const taskAssignment = z
  .strictObject({
    taskId,
    jobId: entityId,
    params: unitParams,
    windows: unitWindows,
    /** Time left to report, in milliseconds from the moment of the answer: a host's clock may be wrong. */
    deadlineMs: z.number().int().min(0),
  })
  .meta({ id: 'TaskAssignment' });
export type TaskAssignment = z.infer<typeof taskAssignment>;

/** An output that the coordinator asks an agreeing host to upload (unit state `awaiting-output`). */
export const outputWanted = z
  .strictObject({ taskId, name: identifier, uploadUrl: z.string(), withinMs: z.number().int() })
  .meta({ id: 'OutputWanted' });
export type OutputWanted = z.infer<typeof outputWanted>;

export const NO_WORK_CODES = [
  'no-jobs',
  'memory-too-small',
  'agents-only',
  'runtime-too-old',
  'allowance-used',
  'too-many-in-progress',
  'already-has-task',
  'needs-another-account',
  'unapproved-app',
  'host-held',
  'owner-paused',
  'dispatch-paused',
  'queue-empty',
  'server-busy',
] as const;
export const noWorkReason = z
  .strictObject({
    code: z.enum(NO_WORK_CODES),
    /** Units that this reason kept away; null where it is not about units. */
    count: z.number().int().min(0).nullable(),
    message: z.string(),
  })
  .meta({ id: 'NoWorkReason' });
export type NoWorkReason = z.infer<typeof noWorkReason>;

export const workResponse = z
  .strictObject({
    reports: z.array(reportAnswer),
    jobs: z.array(workJob),
    tasks: z.array(taskAssignment),
    /** Why fewer tasks came than were asked for; empty when all came. */
    noWork: z.array(noWorkReason),
    outputsWanted: z.array(outputWanted),
    /** Ask for work again no sooner than this. */
    retryAfterMs: z.number().int().min(0),
    heartbeatMs: z.number().int().min(1000),
    /** What the host's owner asked of it from afar; absent: nothing has ever been asked. */
    wishes: hostWishes.optional(),
    isUsedTwice: isUsedTwice.optional(),
  })
  .meta({ id: 'WorkResponse' });
export type WorkResponse = z.infer<typeof workResponse>;

export const heartbeatRequest = z
  .strictObject({
    running: z
      .array(
        z.strictObject({
          taskId,
          progressPermille: z.number().int().min(0).max(1000).optional(),
          cycles: decimalString.optional(),
        }),
      )
      .max(LIMITS.hostTasksInProgress),
    /** Tasks that the host gives back unfinished; with `leaving`, everything it still holds. */
    returned: z.array(taskId).max(LIMITS.hostTasksInProgress).default([]),
    leaving: z.boolean().default(false),
    instance: instance.optional(),
    /** Where it has changed since the host last said it. */
    state: hostState.optional(),
  })
  .meta({ id: 'HeartbeatRequest' });
export type HeartbeatRequest = z.infer<typeof heartbeatRequest>;
export type HeartbeatRequestInput = z.input<typeof heartbeatRequest>;

export const heartbeatResponse = z
  .strictObject({
    tasks: z.array(
      z.strictObject({ taskId, action: z.enum(['keep', 'abort']), reason: z.string().optional() }),
    ),
    outputsWanted: z.array(outputWanted),
    nextMs: z.number().int().min(1000),
    /** What the host's owner asked of it from afar; absent: nothing has ever been asked. */
    wishes: hostWishes.optional(),
    isUsedTwice: isUsedTwice.optional(),
  })
  .meta({ id: 'HeartbeatResponse' });
export type HeartbeatResponse = z.infer<typeof heartbeatResponse>;
