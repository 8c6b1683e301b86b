import { z } from 'zod';
import { decimalString, entityId, isoInstant } from './primitives.js';
import { taskState } from './states.js';
import { noWorkReason } from './work.js';

/** Of one host: its tasks by state, and those that it computes at this moment. */
export const hostTasks = z
  .strictObject({
    counts: z.array(
      z.strictObject({
        state: taskState,
        count: z
          .number()
          .int()
          .nullable()
          .describe('null: of `reported` ones, where too many units are in flight to look through.'),
      }),
    ),
    inProgress: z
      .array(
        z.strictObject({
          taskId: z.string(),
          job: z.strictObject({
            id: entityId,
            name: z.string(),
            public: z.boolean().describe('Everybody may see its page.'),
          }),
          assignedAt: isoInstant,
          deadlineAt: isoInstant.describe('Others get the task when no result has come by then.'),
        }),
      )
      .describe('Those that it has had longest, up to 100.'),
    cyclesPerSecond: decimalString
      .nullable()
      .describe('Of one core, from results of the last hour; null where there are none.'),
    lastAnswer: z
      .strictObject({
        at: isoInstant,
        noWork: z.array(noWorkReason).describe('Empty: it got all that it asked for.'),
      })
      .nullable()
      .describe(
        'What it was told when it last asked for work; null: it has not asked this coordinator for an hour.',
      ),
  })
  .meta({ id: 'HostTasks' });
export type HostTasks = z.infer<typeof hostTasks>;
