import { z } from 'zod';
import { decimalString, entityId, pageOf } from './primitives.js';

export const leaderboardRow = z
  .strictObject({
    rank: z.number().int(),
    id: entityId,
    name: z.string(),
    credit: decimalString.describe('Validated cycles of approved apps, of all time.'),
    validTasks: z.number().int().describe('Those that were credited.'),
  })
  .meta({ id: 'LeaderboardRow' });
export type LeaderboardRow = z.infer<typeof leaderboardRow>;
export const leaderboard = pageOf(leaderboardRow).meta({ id: 'Leaderboard' });
export type Leaderboard = z.infer<typeof leaderboard>;
