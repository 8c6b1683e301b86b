import { z } from 'zod';

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().optional(),
    instance: z.string().optional(),
    code: z.string(),
    /** Where in the request: JSON pointers into the body, or the parameter's name. */
    errors: z
      .array(
        z.object({
          pointer: z.string(),
          detail: z.string(),
          /** Of a module that was refused: the rule that it breaks, and where. */
          rule: z.string().optional(),
          byteOffset: z.number().int().min(0).optional(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' });
export type Problem = z.infer<typeof problem>;
