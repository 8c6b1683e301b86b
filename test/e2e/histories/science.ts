import type { JobSpecInput, ResultReport, TaskAssignment } from '@gleaner/protocol';
import { resultDigestText } from '@gleaner/protocol';
import { RUNTIME, sha256 } from '../../support/index.js';

/** Too many bytes for a task's row. */
const LARGE_BYTES = 4_000;

/** One sort of jobs, with what every honest volunteer computes for it. */
export interface JobKind {
  /** Also the job's name: by it a host knows what to compute. */
  readonly name: string;
  readonly units: number;
  readonly by: 'scientist' | 'operator' | 'stranger';
  readonly spec: Pick<JobSpecInput, 'replication' | 'merge'>;
  /** The output of unit `n`; null where the program traps. */
  readonly textOf: (n: number) => string | null;
  /** Of the units of these numbers, in order. */
  readonly answerOf: (numbers: readonly number[]) => string;
}

const joined =
  (textOf: (n: number) => string): JobKind['answerOf'] =>
  (numbers) =>
    numbers.map(textOf).join('');
const plain = (n: number): string => `unit ${n}\n`;
const large = (n: number): string => `large ${n}\n`.repeat(LARGE_BYTES / 10);
/** Whatever the unit, and in every such job. */
const equal = (): string => large(0);
const line = (n: number): string => `{"n":${n}}\n`;

export const JOB_KINDS: readonly JobKind[] = [
  {
    name: 'plain',
    units: 8,
    by: 'scientist',
    spec: { merge: { kind: 'concat' } },
    textOf: plain,
    answerOf: joined(plain),
  },
  {
    name: 'large',
    units: 6,
    by: 'scientist',
    spec: { merge: { kind: 'concat' }, replication: { quorum: 2, maxErrors: 9, maxTasks: 16 } },
    textOf: large,
    answerOf: joined(large),
  },
  {
    name: 'equal',
    units: 5,
    by: 'operator',
    spec: { merge: { kind: 'concat' }, replication: { quorum: 2, maxErrors: 9, maxTasks: 16 } },
    textOf: equal,
    answerOf: joined(equal),
  },
  {
    name: 'sum',
    units: 6,
    by: 'scientist',
    spec: { merge: { kind: 'sum' }, replication: { quorum: 3, maxErrors: 8, maxTasks: 12 } },
    textOf: (n) => `all\t1\nnumbers\t${n}\n`,
    answerOf: (numbers) => `all\t${numbers.length}\nnumbers\t${numbers.reduce((total, n) => total + n, 0)}\n`,
  },
  {
    name: 'fragile',
    units: 6,
    by: 'scientist',
    spec: {
      merge: { kind: 'lines', sortBy: ['n'], unique: true },
      replication: { quorum: 2, maxErrors: 2, maxTasks: 4 },
    },
    textOf: line,
    answerOf: joined(line),
  },
  {
    name: 'trapping',
    units: 8,
    by: 'scientist',
    spec: { merge: { kind: 'concat' } },
    textOf: (n) => (n % 2 === 0 ? null : plain(n)),
    answerOf: joined(plain),
  },
  {
    name: 'alone',
    units: 6,
    by: 'scientist',
    spec: { merge: { kind: 'concat' }, replication: { quorum: 1 } },
    textOf: plain,
    answerOf: joined(plain),
  },
  {
    name: 'trusted',
    units: 6,
    by: 'operator',
    spec: { merge: { kind: 'concat' }, replication: { quorum: 1 } },
    textOf: plain,
    answerOf: joined(plain),
  },
  {
    name: 'laboratory',
    units: 6,
    by: 'operator',
    spec: { merge: { kind: 'concat' }, replication: { quorum: 2, distinct: 'host' } },
    textOf: plain,
    answerOf: joined(plain),
  },
  {
    name: 'unapproved',
    units: 4,
    by: 'stranger',
    spec: { merge: { kind: 'concat' }, replication: { quorum: 1 } },
    textOf: plain,
    answerOf: joined(plain),
  },
];

export function kindOf(name: string): JobKind {
  const kind = JOB_KINDS.find((each) => each.name === name);
  if (!kind) throw new RangeError(`no jobs are called ${name}`);
  return kind;
}

/** A task as its host knows it. */
export interface HeldTask {
  readonly taskId: string;
  readonly kind: JobKind;
  /** Number of its unit. */
  readonly n: number;
}

export function heldTask({ taskId, params }: TaskAssignment, kind: JobKind): HeldTask {
  return { taskId, kind, n: Number(params['n']?.['from']) };
}

type Made = Pick<ResultReport, 'outcome' | 'cycles' | 'trapKind'> & {
  /** Of `stdout`. */
  readonly bytes?: Buffer;
  readonly name?: string;
  /** Its bytes come when they are asked for. */
  readonly withheld?: boolean;
};

/** A report with the digest that belongs to it. */
export function reportOf({ taskId }: HeldTask, made: Made): ResultReport {
  const { bytes, name = 'stdout', withheld = false, ...ended } = made;
  const output = bytes && { name, size: bytes.length, sha256: sha256(bytes) };
  const result = { exitCode: 0, ...ended, outputs: output ? [output] : [] };
  return {
    ...result,
    taskId,
    outputs: output && bytes ? [withheld ? output : { ...output, base64: bytes.toString('base64') }] : [],
    digest: sha256(resultDigestText(result)),
    runtimeVersion: RUNTIME,
  };
}

/** What every honest volunteer reports, but for where the bytes are and how far a trap's count went. */
export function honestReport(task: HeldTask, { withheld = false, trapCycles = 10 } = {}): ResultReport {
  const bytes = bytesOf(task);
  return bytes
    ? reportOf(task, { outcome: 'ok', cycles: String(1_000 + task.n), bytes, withheld })
    : reportOf(task, { outcome: 'trap', trapKind: 'unreachable', cycles: String(trapCycles) });
}

export function bytesOf({ kind, n }: HeldTask): Buffer | null {
  const text = kind.textOf(n);
  return text === null ? null : Buffer.from(text);
}
