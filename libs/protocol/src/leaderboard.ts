import { z } from 'zod';
import { decimalString, entityId, pageOf } from './primitives.js';

export const leaderboardRow = z
  .strictObject({
    rank: z.number().int(),
    id: entityId,
    name: z.string(),
    credit: decimalString,
    validTasks: z.number().int(),
  })
  .meta({ id: 'LeaderboardRow' });
export type LeaderboardRow = z.infer<typeof leaderboardRow>;
export const leaderboard = pageOf(leaderboardRow).meta({ id: 'Leaderboard' });
export type Leaderboard = z.infer<typeof leaderboard>;
