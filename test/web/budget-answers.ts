import {
  SQUARES_MAX,
  type Account,
  type AuditEntry,
  type BoardPage,
  type Host,
  type HostTasks,
  type OperatorInbox,
  type PublicJob,
  type PublicJobView,
  type ServerStatus,
  type Session,
  type SiteStats,
  type StatisticsHistory,
  type Team,
  type TeamMember,
  type Token,
} from '@gleaner/protocol';

/** What an installation in full swing answers, at the bounds of what one page shows of it. */
const AT = '2026-11-21T12:00:00.000Z';
const CANDIDATES = 1_000;
const MANY = 50;
const POINTS = 90;

const account: Account = {
  id: '1',
  name: 'Wanda Kowalski',
  anonymous: false,
  operator: true,
  createdAt: AT,
  credit: '123456789012345',
};

const stats: SiteStats = {
  name: 'Gleaner',
  at: AT,
  totals: {
    cycles: '98765432109876543',
    tasks: 123_456,
    accounts: 4_321,
    hosts: 9_876,
    savedBytes: '1234567890123',
  },
  now: {
    hosts: 321,
    tasks: 654,
    runningJobs: 6,
    cyclesPerSecond: '123456789012',
    validatedTasks: 99,
    windowSeconds: 300,
  },
};

const host: Host = {
  id: '1',
  accountId: '1',
  name: 'Bergstation',
  publicName: 'host 1',
  kind: 'agent',
  platform: 'linux-x64',
  cores: 8,
  memoryMiB: 16_384,
  createdAt: AT,
  lastSeenAt: AT,
  inProgress: 7,
  validTasks: 1_234,
  invalidTasks: 2,
  errorTasks: 3,
  lostTasks: 4,
  abortedTasks: 5,
  allowance: { perDay: 100, usedToday: 60, resetsAt: AT },
  held: null,
  credit: '12345678901234',
  agentVersion: '0.1.0',
  wishes: { run: 'run', version: 1 },
  state: { phase: 'working', reason: 'working on 7 tasks of One night at Arecibo', at: AT },
};

const tasks: HostTasks = {
  counts: (['in-progress', 'reported', 'valid', 'invalid', 'error', 'lost', 'aborted'] as const).map(
    (state) => ({
      state,
      count: 17,
    }),
  ),
  inProgress: times(MANY, (index) => ({
    taskId: `${index}.0`,
    job: { id: '1', name: 'One night at Arecibo', public: true },
    assignedAt: AT,
    deadlineAt: AT,
  })),
  cyclesPerSecond: '2345678901',
  lastAnswer: { at: AT, noWork: [] },
};

const team: Team = {
  id: '1',
  name: 'Friends of the Dish',
  description: 'We listen.',
  keeper: { id: '1', name: 'Wanda Kowalski' },
  members: MANY,
  credit: '123456789012345',
  validTasks: 12_345,
  createdAt: AT,
};

/** A gzipped answer would hide how long a browser takes to read it; what it weighs is the routes' own. */
const answer = times(CANDIDATES, (index) =>
  JSON.stringify({
    type: 'spike',
    power: 22 + (index % 100) / 7,
    fft_len: 8 << (index % 15),
    chirp_ix: index,
    chirp: (index % 200) / 20 - 5,
    bin: index,
    freq: 1_418_918_910.1,
    sec: index % 100,
    detection_freq: 1_418_918_946 + index,
  }),
).join('\n');

const job: PublicJob = {
  id: '1',
  name: 'One night at Arecibo',
  project: { slug: 'listening', name: 'Listening', description: 'Somebody far away may be calling.' },
  scientist: 'Jocelyn Okafor',
  app: 'seti-classic@1',
  state: 'completed',
  stateReason: null,
  units: { total: 4096, open: 0, blocked: 0, awaitingOutput: 0, valid: 4090, failed: 6, cancelled: 0 },
  blockedReason: null,
  progressPermille: 1000,
  tasks: 8_192,
  validatedCycles: '1234567890123',
  createdAt: AT,
  finishedAt: AT,
  visibility: { public: true, results: true },
  output: { sizeBytes: answer.length },
};

const view: PublicJobView = {
  job,
  picture: {
    squares: times(SQUARES_MAX, (index) => 'ocrpvf'[index % 6]).join(''),
    unitsPerSquare: 4,
    settledLately: 40,
    windowSeconds: 600,
  },
  helpers: times(MANY, (index) => ({
    id: `${index}`,
    name: `Helper ${index}`,
    validTasks: 7,
    cycles: '7654321',
  })),
  swarm: { inputs: [], savedBytes: 0 },
};

const history: StatisticsHistory = {
  grain: 'hour',
  points: times(POINTS, (index) => ({
    startsAt: new Date(Date.parse(AT) + index * 3_600_000).toISOString(),
    cycles: `${1_000_000_000 * (1 + (index % 24))}`,
    tasks: index,
    units: index,
    hosts: index,
    savedBytes: `${1_000_000 * index}`,
  })),
};

const board: BoardPage = {
  period: 'all',
  page: 1,
  total: 1_000_000,
  items: times(MANY, (index) => ({
    rank: index + 1,
    id: `${index + 1}`,
    name: `Volunteer ${index}`,
    value: `${10 ** 15 - index}`,
    credit: `${10 ** 15 - index}`,
    validTasks: 1_000 - index,
  })),
  isCutShort: false,
};

const tokens: readonly Token[] = times(MANY, (index) => ({
  id: `${index}`,
  label: `Laptop ${index}`,
  scopes: ['work'],
  hostId: null,
  createdAt: AT,
  lastUsedAt: AT,
  expiresAt: null,
  revokedAt: null,
  session: index < 3,
}));

const members: readonly TeamMember[] = times(MANY, (index) => ({
  id: `${index}`,
  name: `Member ${index}`,
  joinedAt: AT,
  credit: '1234567',
}));

const status: ServerStatus = {
  name: 'Gleaner',
  at: AT,
  dispatchPaused: null,
  database: { up: true, latencyMs: 1, sizeBytes: 123_456_789 },
  queues: times(10, (index) => ({
    name: `queue-${index}`,
    waiting: 1,
    delayed: 2,
    active: 3,
    failed: 0,
    oldestWaitingSeconds: null,
  })),
  tasksInProgress: 654,
  hosts: { seenLastHour: 321, held: 1 },
  jobs: { running: 6 },
};

const inbox: OperatorInbox = {
  projects: times(MANY, (index) => ({
    slug: `project-${index}`,
    name: `Project ${index}`,
    description: 'Of the sea.',
    createdAt: AT,
    creator: { id: '1', name: 'Wanda Kowalski', email: null },
  })),
  appVersions: [],
  heldHosts: times(MANY, () => ({ ...host, held: 'faster than light' })),
};

const audit: readonly AuditEntry[] = times(20, (index) => ({
  id: `${index}`,
  at: AT,
  account: { id: '1', name: 'Wanda Kowalski' },
  action: 'dispatch.pause',
  subject: 'everything',
  detail: { reason: 'a larger disk' },
}));

const session: Session = { account, email: 'wanda@example.org' };

const pageOf = (items: readonly unknown[]): object => ({ items, nextCursor: null });

/** By the path, without its query. */
const ANSWERS: ReadonlyArray<readonly [RegExp, unknown]> = [
  [/^\/v1\/session$/, session],
  [/^\/v1\/accounts\/me$/, account],
  [/^\/v1\/stats$/, stats],
  [/^\/v1\/stats\/history$/, history],
  [/^\/v1\/public\/jobs$/, pageOf(times(30, (index) => ({ ...job, id: `${index}` })))],
  [/^\/v1\/public\/jobs\/\d+$/, view],
  [/^\/v1\/public\/jobs\/\d+\/output$/, answer],
  [/^\/v1\/boards\/\w+$/, board],
  [/^\/v1\/boards\/\w+\/rows\/\d+$/, { ...board.items[0], rank: 4_321, id: '4321' }],
  [/^\/v1\/hosts$/, pageOf(times(MANY, (index) => ({ ...host, id: `${index}` })))],
  [/^\/v1\/hosts\/\d+$/, host],
  [/^\/v1\/hosts\/\d+\/tasks$/, tasks],
  [/^\/v1\/tokens$/, pageOf(tokens)],
  [/^\/v1\/teams$/, { ...pageOf(times(20, (index) => ({ ...team, id: `${index}` }))), isCutShort: false }],
  [/^\/v1\/teams\/mine$/, { team }],
  [/^\/v1\/teams\/\d+$/, team],
  [/^\/v1\/teams\/\d+\/members$/, pageOf(members)],
  [/^\/v1\/status$/, status],
  [/^\/v1\/operator\/inbox$/, inbox],
  [/^\/v1\/operator\/audit$/, pageOf(audit)],
];

/** The account that these answers are for. */
export const VISITOR = account.id;

/** @returns the body for a GET of this path; undefined where such an installation has nothing */
export function answerTo(path: string): string | undefined {
  const found = ANSWERS.find(([pattern]) => pattern.test(path))?.[1];
  return typeof found === 'string' || found === undefined ? found : JSON.stringify(found);
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
