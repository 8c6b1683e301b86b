/** As in docs/jobs.md: counts words of a text, forty pieces of it by themselves. */
const WORDS_JOB = {
  project: 'demo',
  spec: {
    name: 'words',
    app: 'words@1',
    inputs: { data: 'sha256:3f2a68ffbdb7c0e3c9e0d8ac1d2a9b7d9f1c9e6d5f0b4a3c2e1d0f9e8b7a6c5d' },
    split: [{ kind: 'records', name: 'part', input: 'data', delimiter: '\n', units: 40 }],
    args: ['/input/data'],
    outputs: ['stdout'],
    limits: { maxCycles: '100000000000', memoryMiB: 64 },
    replication: { quorum: 2 },
    merge: { kind: 'sum' },
  },
} as const;

/** What a scientist's programs send, by the id of the operation. */
export const REQUEST_EXAMPLES: Readonly<Record<string, object>> = {
  submitJob: WORDS_JOB,
  estimateJob: WORDS_JOB,
  setJobVisibility: { public: true, results: false },
  createToken: { label: 'cluster', scopes: ['submit'], expiresAt: '2027-06-30T00:00:00Z' },
  createProject: { slug: 'words', name: 'Words of the world', description: 'Counts them.' },
  addScientist: { accountId: '42' },
};
