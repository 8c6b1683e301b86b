import { z } from 'zod';
import { decimalString, entityId, isoInstant } from './primitives.js';
import { taskState } from './states.js';
import { noWorkReason } from './work.js';

/** Of one host: its tasks by state, and those that it computes at this moment. */
export const hostTasks = z
  .strictObject({
    /** `reported` is counted among the units in flight, up to a bound: null beyond it. */
    counts: z.array(z.strictObject({ state: taskState, count: z.number().int().nullable() })),
    inProgress: z.array(
      z.strictObject({
        taskId: z.string(),
        job: z.strictObject({ id: entityId, name: z.string(), public: z.boolean() }),
        assignedAt: isoInstant,
        deadlineAt: isoInstant,
      }),
    ),
    /** Of one core, from results of the last hour; null where there are none. */
    cyclesPerSecond: decimalString.nullable(),
    /** What the host was told when it last asked for work; null where this coordinator has not heard it lately. */
    lastAnswer: z.strictObject({ at: isoInstant, noWork: z.array(noWorkReason) }).nullable(),
  })
  .meta({ id: 'HostTasks' });
export type HostTasks = z.infer<typeof hostTasks>;
