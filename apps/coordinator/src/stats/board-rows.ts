import type { BoardPeriod } from '@gleaner/protocol';
import { z } from 'zod';
import { BOARDS } from './board-order.js';

export const boardCount = z.coerce.number().int();
export const boardRows = z.array(
  z.object({ id: z.string(), name: z.string(), value: z.string(), credit: z.string(), tasks: boardCount }),
);
export type BoardRowFound = z.infer<typeof boardRows>[number];

/** SQL of what a board is ordered by, as text that loses nothing. */
export function valueText(period: BoardPeriod): string {
  const { value, type } = BOARDS[period];
  return type === 'numeric' ? `greatest(0, trunc(${value}))::text` : `${value}::text`;
}
