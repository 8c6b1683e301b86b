import { LAST_CHIRP_INDEX } from './chirp-grid.js';

/** Chirp indices of one unit in production: about ten seconds of computing. */
const UNIT_CHIRPS = 2000;

/**
 * The job file of a search (schema `jobSpec` of @gleaner/protocol).
 *
 * @param options `tape` is the blob of a `.sah` file; chirp indices are half open
 */
export function searchJob(options: {
  readonly name: string;
  readonly app: string;
  readonly tape: string;
  readonly fromChirp?: number;
  readonly toChirp?: number;
  readonly unitChirps?: number;
}) {
  const { name, app, tape, fromChirp = -LAST_CHIRP_INDEX, toChirp = LAST_CHIRP_INDEX + 1 } = options;
  return {
    name,
    app,
    inputs: { tape },
    split: [
      { kind: 'range', name: 'chirp', from: fromChirp, to: toChirp, step: options.unitChirps ?? UNIT_CHIRPS },
    ],
    args: ['/input/tape', '{chirp.from}', '{chirp.to}'],
    outputs: ['stdout'],
    limits: { maxCycles: '2000000000000', memoryMiB: 64 },
    replication: { quorum: 2, maxErrors: 6, maxTasks: 10, distinct: 'account' },
    taskDeadline: 'PT6H',
    share: 1,
    merge: { kind: 'lines', sortBy: ['chirp_ix', 'fft_len', 'bin', 'sec'], unique: true },
  };
}
