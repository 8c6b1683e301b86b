import { z } from 'zod';
import { hostState, hostWishes } from './host-wishes.js';
import { jobLimits, unitParams, unitWindows } from './job-spec.js';
import { LIMITS } from './limits.js';
import { decimalString, entityId, identifier, sha256Hex, taskId } from './primitives.js';
import { resultReport } from './result.js';
import { blobLocation, heldFile, peerId, signedTicket, SWARM_LIMITS } from './swarm.js';

/** Drawn by an agent at each start: two that work as one host, as in a copied directory, are told apart by it. */
const instance = z
  .string()
  .regex(/^[0-9a-f]{16}$/, { error: 'must be 16 hex digits' })
  .describe(
    'Drawn at each start: two that work as one host, as in a copied directory, are told apart by it.',
  );
/** Two agents work as this host at the same time. Only hosts that name their `instance` are told. */
const isUsedTwice = z.boolean().describe('Two work as this host at the same time.');

/** POST /v1/work: results to hand in and tasks wanted, in one call. */
export const workRequest = z
  .strictObject({
    protocol: z
      .number()
      .int()
      .min(0)
      .describe(
        'Version that the host speaks; a coordinator that no longer speaks it answers `agent-too-old`.',
      ),
    runtimeVersions: z.array(z.string().max(40)).min(1).max(8),
    instance: instance.optional(),
    reports: z.array(resultReport).max(LIMITS.tasksPerCall).default([]),
    holding: z
      .array(taskId)
      .max(LIMITS.hostTasksInProgress)
      .optional()
      .describe(
        'Every task that it has, unreported results included: others that it was given go to others. Without it nothing is concluded.',
      ),
    request: z
      .strictObject({
        maxTasks: z.number().int().min(0).max(LIMITS.tasksPerCall),
        memoryMiB: z
          .number()
          .int()
          .min(1)
          .max(1 << 20)
          .describe('For one task: units that need more are not given.'),
        cores: z.number().int().min(1).max(1024).default(1),
        overrulesWishes: z
          .number()
          .int()
          .min(0)
          .optional()
          .describe(
            'Version of the wishes that whoever sits at the machine overruled: it asks for work although they say otherwise.',
          ),
        peerId: peerId
          .optional()
          .describe('Once it has a certificate: inputs then come with tickets for the swarm.'),
        held: z
          .array(heldFile)
          .max(SWARM_LIMITS.heldFiles)
          .optional()
          .describe('Chunks of inputs that it holds: units that need no others are preferred.'),
      })
      .optional(),
    state: hostState.optional().describe('Where it has changed since it was last said.'),
  })
  .meta({ id: 'WorkRequest' });
export type WorkRequest = z.infer<typeof workRequest>;
export type WorkRequestInput = z.input<typeof workRequest>;

export const reportAnswer = z
  .strictObject({
    taskId,
    status: z
      .enum(['accepted', 'repeat', 'refused', 'retry'])
      .describe(
        '`accepted`: stored. `repeat`: was stored before, nothing changed. `refused`: final, forget the result. `retry`: nothing was stored, send it again later.',
      ),
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
      moduleSha256: sha256Hex.describe('Of the module that is fetched at `moduleUrl` and checked.'),
      moduleUrl: z.string(),
      runtimeVersion: z.string(),
      stepping: z.boolean(),
    }),
    inputs: z.record(
      identifier,
      z.strictObject({
        ...blobLocation.shape,
        swarmTicket: signedTicket
          .optional()
          .describe(
            'Lets the asking peer have the input from other volunteers; absent where it has no certificate.',
          ),
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
    params: unitParams.describe('Values of the splits, which fill `{SPLIT.KEY}` in the arguments.'),
    windows: unitWindows.describe('Parts of inputs that the app sees as the whole of them, in bytes.'),
    deadlineMs: z
      .number()
      .int()
      .min(0)
      .describe("Time left to report, from the moment of the answer: a host's clock may be wrong."),
  })
  .meta({ id: 'TaskAssignment' });
export type TaskAssignment = z.infer<typeof taskAssignment>;

/** An output that the coordinator asks an agreeing host to upload (unit state `awaiting-output`). */
export const outputWanted = z
  .strictObject({
    taskId,
    name: identifier,
    uploadUrl: z.string(),
    withinMs: z.number().int().describe('After which another host is asked.'),
  })
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
    count: z
      .number()
      .int()
      .min(0)
      .nullable()
      .describe('Units that this reason kept away; null where it is not about units.'),
    message: z.string().describe('The reason in words, for the volunteer.'),
  })
  .meta({ id: 'NoWorkReason' });
export type NoWorkReason = z.infer<typeof noWorkReason>;

export const workResponse = z
  .strictObject({
    reports: z.array(reportAnswer),
    jobs: z.array(workJob).describe('What the tasks have in common, each job once.'),
    tasks: z.array(taskAssignment),
    noWork: z.array(noWorkReason).describe('Why fewer tasks came than were asked for; empty when all came.'),
    outputsWanted: z.array(outputWanted),
    retryAfterMs: z.number().int().min(0).describe('Ask for work again no sooner than this.'),
    heartbeatMs: z
      .number()
      .int()
      .min(1000)
      .describe('Call `POST /v1/heartbeat` this often while there are tasks.'),
    wishes: hostWishes
      .optional()
      .describe('What its owner asked of it from afar; absent: nothing has ever been asked.'),
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
    returned: z
      .array(taskId)
      .max(LIMITS.hostTasksInProgress)
      .default([])
      .describe('Tasks that it gives back unfinished.'),
    leaving: z
      .boolean()
      .default(false)
      .describe('It gives back everything that it still has and does not name as running.'),
    instance: instance.optional(),
    state: hostState.optional().describe('Where it has changed since it was last said.'),
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
    nextMs: z.number().int().min(1000).describe('Call again within this time.'),
    wishes: hostWishes
      .optional()
      .describe('What its owner asked of it from afar; absent: nothing has ever been asked.'),
    isUsedTwice: isUsedTwice.optional(),
  })
  .meta({ id: 'HeartbeatResponse' });
export type HeartbeatResponse = z.infer<typeof heartbeatResponse>;
