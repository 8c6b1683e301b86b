import { z } from 'zod';
import { LIMITS } from './limits.js';
import {
  decimalString,
  displayName,
  entityId,
  isoInstant,
  lineOf,
  pageOf,
  pageQuery,
  plainText,
} from './primitives.js';

export const team = z
  .strictObject({
    id: entityId,
    name: z.string(),
    description: z.string(),
    keeper: z
      .strictObject({ id: entityId, name: z.string() })
      .describe('Who may change it: its founder, and after that whoever has been a member longest.'),
    members: z
      .number()
      .int()
      .describe('Those of now; 0 where all have left, and whoever joins next keeps it.'),
    credit: decimalString.describe(
      'Validated cycles that members earned for it; those of members who have left stay.',
    ),
    validTasks: z.number().int().describe('With which that was earned.'),
    createdAt: isoInstant,
  })
  .meta({ id: 'Team' });
export type Team = z.infer<typeof team>;
export const teamPage = pageOf(team)
  .extend({
    isCutShort: z
      .boolean()
      .describe('A search took too long and was ended: teams may be missing whose names have `q` in them.'),
  })
  .meta({ id: 'TeamPage' });
export type TeamPage = z.infer<typeof teamPage>;

export const teamsQuery = pageQuery.extend({
  q: lineOf(LIMITS.nameLength).optional().describe('Part of a name; upper and lower case are the same.'),
});
export type TeamsQuery = z.infer<typeof teamsQuery>;

export const foundTeam = z
  .strictObject({ name: displayName, description: plainText(LIMITS.teamDescriptionLength).default('') })
  .meta({ id: 'FoundTeam' });
export type FoundTeam = z.infer<typeof foundTeam>;
/** What the keeper may edit; `If-Match` carries the ETag of the version that was read. */
export const updateTeam = z
  .strictObject({
    name: displayName.optional(),
    description: plainText(LIMITS.teamDescriptionLength).optional(),
  })
  .meta({ id: 'UpdateTeam' });
export type UpdateTeam = z.infer<typeof updateTeam>;

export const teamMember = z
  .strictObject({
    id: entityId,
    name: z.string(),
    joinedAt: isoInstant,
    credit: decimalString.describe('Validated cycles that they earned for the team since they joined.'),
  })
  .meta({ id: 'TeamMember' });
export const teamMemberPage = pageOf(teamMember).meta({ id: 'TeamMemberPage' });
export type TeamMember = z.infer<typeof teamMember>;

/** The caller's team, null where they have none. */
export const myTeam = z
  .strictObject({ team: team.nullable().describe('null: the caller is in none.') })
  .meta({ id: 'MyTeam' });
export type MyTeam = z.infer<typeof myTeam>;
