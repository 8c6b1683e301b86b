import type { StatisticsPoint } from '@gleaner/client';
import { formatCycles } from '../ui/format-cycles';
import { formatBytes } from '@gleaner/protocol/format-bytes';

/** One thing that is counted in every hour and day. */
export interface Measure {
  readonly name: string;
  readonly about: string;
  /** Of one hour or day, exactly. */
  readonly of: (point: StatisticsPoint) => bigint;
  readonly format: (exact: bigint) => string;
  /** Whether the whole is the sum of its parts: a machine that worked in two hours is one machine. */
  readonly isSum: boolean;
}

const grouped = (exact: bigint): string => exact.toLocaleString('en');

export const MEASURES: readonly Measure[] = [
  {
    name: 'Cycles',
    about: 'executed instructions that independent volunteers agreed on',
    of: ({ cycles }) => BigInt(cycles),
    format: (exact) => formatCycles(exact.toString()),
    isSum: true,
  },
  {
    name: 'Results',
    about: 'tasks that earned credit',
    of: ({ tasks }) => BigInt(tasks),
    format: grouped,
    isSum: true,
  },
  {
    name: 'Units validated',
    about: 'pieces of jobs that are done for good',
    of: ({ units }) => BigInt(units),
    format: grouped,
    isSum: true,
  },
  {
    name: 'Machines',
    about: 'hosts that earned credit, at most',
    of: ({ hosts }) => BigInt(hosts),
    format: grouped,
    isSum: false,
  },
  {
    name: 'Bytes shared',
    about: 'inputs that volunteers had from each other',
    of: ({ savedBytes }) => BigInt(savedBytes),
    format: (exact) => formatBytes(Number(exact)),
    isSum: true,
  },
];

/** What the measure came to over all points. */
export function totalOf({ of, isSum }: Measure, points: readonly StatisticsPoint[]): bigint {
  return points
    .map(of)
    .reduce((total, exact) => (isSum || exact > total ? (isSum ? total + exact : exact) : total), 0n);
}
