import { readFile } from 'node:fs/promises';
import type { Worker, WorkerEvents } from '@gleaner/worker-sdk';
import { z } from 'zod';
import type { LogEvent } from '../agent-log.js';
import type { DataDirectory } from '../data-directory.js';
import { readStateFile } from '../state-files.js';

const NAME = 'tallies.json';

const cycles = z.string().regex(/^\d{1,40}$/);
const tallies = z.object({
  v: z.literal(1),
  /** Executed instructions, as a decimal string: of all finished tasks, and of those of one day. */
  cycles,
  tasks: z.number().int().min(0),
  /** By the volunteer's clock, such as `2026-11-20`. */
  day: z.string(),
  cyclesOfDay: cycles,
});
export type Tallies = z.infer<typeof tallies>;

export async function readTallies(directory: DataDirectory, now: Date): Promise<Tallies> {
  const day = dayOf(now);
  try {
    const kept = tallies.parse(JSON.parse(await readFile(directory.file(NAME), 'utf8')));
    return kept.day === day ? kept : { ...kept, day, cyclesOfDay: '0' };
  } catch {
    // None yet, or damaged: credit is counted by the coordinator, this is for the volunteer's eyes.
    return { v: 1, cycles: '0', tasks: 0, day, cyclesOfDay: '0' };
  }
}

/** Puts a damaged file aside before anything is counted into it. */
export function mendTallies(directory: DataDirectory, log: LogEvent): void {
  const withoutIt =
    'the counts of tasks and cycles on this machine begin anew; your credit is counted by the coordinator';
  readStateFile(directory, { name: NAME, schema: tallies, withoutIt }, log);
}

/** One count after the other, whichever project's worker has finished something. */
let counting = Promise.resolve();

type FinishedTask = Pick<WorkerEvents['task-finished'], 'cycles' | 'outcome'>;

/** Counts what the worker finishes, across restarts. */
export function keepTallies(worker: Worker, directory: DataDirectory): void {
  worker.on('task-finished', (task) => {
    counting = counting.then(() => countTask(directory, task)).catch(() => undefined);
  });
}

/** Nothing of what failed because of this machine. */
export async function countTask(
  directory: DataDirectory,
  { cycles: done, outcome }: FinishedTask,
): Promise<void> {
  if (outcome === 'infrastructure') return;
  const before = await readTallies(directory, new Date());
  const after: Tallies = {
    ...before,
    tasks: before.tasks + 1,
    cycles: (BigInt(before.cycles) + done).toString(),
    // All of a task on the day it is finished, however often the agent was started anew meanwhile.
    cyclesOfDay: (BigInt(before.cyclesOfDay) + done).toString(),
  };
  await directory.writeWhole(NAME, JSON.stringify(after));
}

function dayOf(date: Date): string {
  const part = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${part(date.getMonth() + 1)}-${part(date.getDate())}`;
}
