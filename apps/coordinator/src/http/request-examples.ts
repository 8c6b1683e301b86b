/** As in docs/jobs.md: counts words of a text (here of two lines of Hamlet), pieces of it by themselves. */
const WORDS_JOB = {
  project: 'demo',
  spec: {
    name: 'words',
    app: 'words@1',
    inputs: { data: 'sha256:264be91deeebca5d4a270c7e1ae007466a321268e516b4c0e3c0f99cbdc3e3b2' },
    split: [{ kind: 'records', name: 'part', input: 'data', delimiter: '\n', units: 40 }],
    args: ['/input/data'],
    outputs: ['stdout'],
    limits: { maxCycles: '100000000000', memoryMiB: 64 },
    replication: { quorum: 2 },
    merge: { kind: 'sum' },
  },
} as const;

const LAPTOP = {
  name: 'kitchen laptop',
  kind: 'agent',
  platform: 'linux-x64',
  cores: 8,
  memoryMiB: 16_384,
} as const;
const TOKEN = { label: 'cluster', scopes: ['submit'], expiresAt: '2099-06-30T00:00:00Z' } as const;
const PERSON = { email: 'ada@example.org', password: 'correct horse battery staple' } as const;

/** What programs of scientists, volunteers and operators send, by the id of the operation. */
export const REQUEST_EXAMPLES: Readonly<Record<string, object>> = {
  submitJob: WORDS_JOB,
  estimateJob: WORDS_JOB,
  setJobVisibility: { public: true, results: false },
  createToken: TOKEN,
  createTokenFor: TOKEN,
  createProject: { slug: 'words', name: 'Words of the world', description: 'Counts them.' },
  updateProject: { description: 'Counts them, in every language.' },
  addScientist: { accountId: '42' },
  attachHost: { host: LAPTOP },
  requestDeviceCode: { host: LAPTOP },
  updateHost: {
    name: 'kitchen laptop',
    run: 'run',
    preferences: {
      whileInUse: 'pause',
      cores: { idle: 4 },
      hours: { everyday: '22:00-07:00', sunday: ['00:00-24:00'] },
    },
  },
  holdHost: { reason: 'its results differ from those of all others' },
  foundTeam: { name: 'Night owls', description: 'We compute while you sleep.' },
  updateTeam: { description: 'We compute while you sleep, and on Sundays.' },
  signUp: { name: 'Ada', ...PERSON },
  signIn: PERSON,
  renameMyAccount: { name: 'Ada L.' },
  createAccount: { name: 'Grace', operator: false },
  pauseDispatch: { reason: 'the disk is being replaced, until 14:00 UTC' },
  recountStatistics: { day: '2026-11-22' },
  work: {
    protocol: 1,
    runtimeVersions: ['gleaner-3'],
    reports: [],
    request: { maxTasks: 2, memoryMiB: 1024, cores: 2 },
  },
  heartbeat: { running: [], leaving: false },
};
