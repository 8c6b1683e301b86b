import { z } from 'zod';
import { LIMITS } from './limits.js';
import { displayName, entityId, isoInstant, pageOf, plainText, slug } from './primitives.js';

export const createProject = z
  .strictObject({
    slug,
    name: displayName,
    description: plainText(LIMITS.descriptionLength).default(''),
  })
  .meta({ id: 'CreateProject' });
/** What may be edited; `If-Match` carries the ETag of the version that was read. */
export const updateProject = z
  .strictObject({
    name: displayName.optional(),
    description: plainText(LIMITS.descriptionLength).optional(),
  })
  .meta({ id: 'UpdateProject' });
export const project = z
  .strictObject({
    slug,
    name: z.string(),
    description: z.string(),
    approved: z
      .boolean()
      .describe('Until an operator has approved it, others do not see it, and no jobs are submitted to it.'),
    createdAt: isoInstant,
  })
  .meta({ id: 'Project' });
export type Project = z.infer<typeof project>;

export const addScientist = z
  .strictObject({ accountId: entityId.describe("Whose jobs run as the project's from then on.") })
  .meta({ id: 'AddScientist' });

export const projectPage = pageOf(project);
