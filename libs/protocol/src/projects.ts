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
    approved: z.boolean(),
    createdAt: isoInstant,
  })
  .meta({ id: 'Project' });
export type Project = z.infer<typeof project>;

export const addScientist = z.strictObject({ accountId: entityId }).meta({ id: 'AddScientist' });

export const projectPage = pageOf(project);
