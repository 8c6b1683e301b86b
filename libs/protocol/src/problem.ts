import { z } from 'zod';

export const problem = z
  .object({
    type: z.string().describe('`urn:gleaner:problem:` and the code.'),
    title: z.string().describe('What the code means, the same for all of them.'),
    status: z.number().int(),
    detail: z.string().optional().describe('What was wrong this time, and what to do, for people.'),
    instance: z
      .string()
      .optional()
      .describe('Of this answer alone: how the log of the coordinator calls it.'),
    code: z.string().describe('For programs; never renamed.'),
    errors: z
      .array(
        z.object({
          pointer: z
            .string()
            .describe(
              'Where in the request: a JSON pointer into the body, or `/` and the name of a parameter.',
            ),
          detail: z.string(),
          rule: z.string().optional().describe('Of a module that was refused: the rule that it breaks.'),
          byteOffset: z.number().int().min(0).optional().describe('Where in the module.'),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' });
export type Problem = z.infer<typeof problem>;
