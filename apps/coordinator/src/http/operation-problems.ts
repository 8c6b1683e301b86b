import { type ProblemCode, PROBLEMS } from './problem-table.js';

type Meanings = Readonly<Partial<Record<ProblemCode, string>>>;

const ABSENT_JOB = { 'not-found': 'there is no such job, or it is not the caller’s to see' } as const;
const CHANGED_JOB = {
  ...ABSENT_JOB,
  forbidden: 'it is another scientist’s of the project: only its submitter and operators change it',
} as const;
const REFUSED_JOB = {
  'job-refused': 'it could not run: `errors` say why and where',
  'not-found': 'there is no such project',
  forbidden: 'the caller is no scientist of the project',
  'project-not-approved': 'an operator has to approve the project first',
} as const;
const ABSENT_PUBLIC_JOB = { 'not-found': 'there is no such job, or it is private' } as const;
const ABSENT_TEAM = { 'not-found': 'there is no such team' } as const;
const ABSENT_HOST = { 'not-found': 'there is no such machine, or it is another person’s' } as const;
const ABSENT_BLOB = { 'not-found': 'there is no such blob, or it is not the caller’s to read' } as const;
const EDITED = {
  'precondition-required': 'send `If-Match` with the ETag of what was read',
  'precondition-failed': 'somebody has changed it since: read it again',
} as const;
const GUESSED = { 'rate-limited': 'too many tries: `Retry-After` says when to go on' } as const;
const OF_A_HOST = { forbidden: 'only the token of an attached host may ask' } as const;
const OF_A_PEER = {
  forbidden: 'the host has no certificate for this peer id, or no task of it needs the file',
} as const;
const MANY_STREAMS = {
  'rate-limited': 'the account or the network follows as many as it may: close one, or ask now and then',
  'server-busy': 'so many follow jobs already: ask now and then',
} as const;
const NO_ROOM = { 'insufficient-storage': 'the coordinator’s disk is nearly full' } as const;
const NO_ROOM_OF_ONES_OWN = {
  'upload-room-used-up': 'the account’s uploads hold as much as they may: `detail` says what is left',
} as const;
const SHORTER = { 'range-not-satisfiable': 'the content ends before the range begins' } as const;
const UPLOAD = { 'not-found': 'there is no such upload, or it is another account’s' } as const;

/**
 * What the problems mean that an operation has of its own, by its id. Those that every operation may have are in none of them: what was sent
 * is not valid, the token is missing or may not do that, too many requests, or the coordinator is busy or away.
 */
export const OPERATION_PROBLEMS: Readonly<Record<string, Meanings>> = {
  abandonUpload: UPLOAD,
  addScientist: { 'not-found': 'there is no such project' },
  announceToSwarm: OF_A_PEER,
  approveApp: { 'not-found': 'there is no such version' },
  approveDevice: {
    'not-found': 'no machine waits with this code: it was mistyped, decided already, or is 15 minutes old',
  },
  approveProject: { 'not-found': 'there is no such project' },
  attachHost: {
    conflict: 'as many machines are attached to the account as may be: detach some',
    'rate-limited': 'too many anonymous machines came from this network: wait, or attach with a token',
  },
  cancelJob: { ...CHANGED_JOB, 'wrong-state': 'it has ended already' },
  changeMyEmail: { 'already-exists': 'somebody has signed up with the address meanwhile' },
  changeMyPassword: {
    'wrong-state': 'the account has no password: it is used with tokens alone',
    ...GUESSED,
  },
  claimAnonymousWork: {
    forbidden: 'the token is a machine’s: claim with one of your account',
    'claimed-already': 'somebody else has claimed this work',
  },
  createProject: {
    'already-exists': 'the slug is taken',
    conflict: 'as many projects of the account as may wait for an operator’s approval',
  },
  createToken: {
    forbidden: 'a token cannot give what its maker may not do',
    conflict: 'as many tokens of the account are valid as may be: revoke some',
  },
  createUpload: {
    ...NO_ROOM,
    ...NO_ROOM_OF_ONES_OWN,
    'rate-limited': 'the account has as many unfinished uploads as it may',
    'protocol-version': 'the header `Tus-Resumable` names no version that is spoken here',
    'too-large': 'the content is larger than any blob may be',
  },
  deleteJob: CHANGED_JOB,
  deleteMyAccount: {
    'wrong-state': 'the caller is the only operator: make another one first',
    forbidden: 'the token may do less than another of the account',
  },
  deleteMyBlob: {
    'not-found': 'the account has uploaded no such blob',
    'wrong-state': 'jobs or apps of the account need it: `detail` names them',
  },
  detachHost: ABSENT_HOST,
  estimateJob: REFUSED_JOB,
  followJob: { ...ABSENT_JOB, ...MANY_STREAMS },
  followPublicJob: { ...ABSENT_PUBLIC_JOB, ...MANY_STREAMS },
  foundTeam: {
    conflict: 'the caller keeps as many teams as one may',
    'already-exists': 'the name is taken',
    forbidden: 'teams are for people who have signed in, not for machines and anonymous accounts',
    'rate-limited': 'teams were changed too often: `Retry-After` says when to go on',
  },
  getAccount: { 'not-found': 'there is no such account' },
  getApp: { 'not-found': 'there is no such version, or it is not the caller’s to see' },
  getBlob: ABSENT_BLOB,
  getBoardRow: { 'not-found': 'it has never earned anything' },
  getContent: { ...ABSENT_BLOB, ...SHORTER },
  getHost: ABSENT_HOST,
  getHostTasks: ABSENT_HOST,
  getJob: ABSENT_JOB,
  getManifest: ABSENT_BLOB,
  getModule: { 'not-found': 'no app has this module', ...SHORTER },
  getOriginTickets: OF_A_PEER,
  getOutput: { ...ABSENT_JOB, 'wrong-state': 'it has no answer: it has not completed', ...SHORTER },
  getProject: { 'not-found': 'there is no such project, or it is not approved and not the caller’s' },
  getPublicJob: ABSENT_PUBLIC_JOB,
  getPublicOutput: {
    'not-found': 'there is no such job, it is private, or it has no answer yet',
    forbidden: 'its scientist does not show its answer to everybody',
    ...SHORTER,
  },
  getSwarmCertificate: { ...OF_A_HOST, conflict: 'the host has as many peer ids as it may: use one of them' },
  getSwarmReplicas: OF_A_PEER,
  getSwarmTickets: OF_A_PEER,
  getTeam: ABSENT_TEAM,
  getUploadOffset: UPLOAD,
  getWaitingDevice: {
    'not-found': 'no machine waits with this code: it was mistyped, decided already, or is 15 minutes old',
  },
  heartbeat: OF_A_HOST,
  holdHost: { 'not-found': 'there is no such machine' },
  joinTeam: {
    ...ABSENT_TEAM,
    'rate-limited': 'teams were changed too often: `Retry-After` says when to go on',
  },
  listHosts: { forbidden: 'only operators see the machines of other accounts' },
  listResults: ABSENT_JOB,
  listTeamMembers: ABSENT_TEAM,
  pauseJob: { ...CHANGED_JOB, 'wrong-state': 'it has ended, or its answer is being put together' },
  publishApp: {
    'module-refused': 'the module is not admitted: `errors` name each rule that it breaks, and where',
    'already-exists': 'the version exists, and versions never change; or the name is another project’s app',
    'not-found': 'there is no such project',
    forbidden: 'the caller is no scientist of the project',
    'project-not-approved': 'an operator has to approve the project first',
    ...NO_ROOM_OF_ONES_OWN,
  },
  putBlob: {
    ...NO_ROOM,
    ...NO_ROOM_OF_ONES_OWN,
    'bad-digest': 'the content does not have the SHA-256 of the address',
    'too-large': 'larger content is uploaded by tus',
  },
  putOutput: { ...OF_A_HOST, 'wrong-state': 'the output is not asked for, or not any longer' },
  ready: { unavailable: 'the database does not answer, or to a worker the queue: `detail` says which' },
  redeemDeviceCode: {
    'authorization-pending': 'nobody has decided yet: ask again after `intervalSeconds`',
    'access-denied': 'the machine was turned away',
    'expired-code': 'the code is unknown, used or 15 minutes old: ask for another',
    conflict: 'as many machines are attached to the account as may be: detach some',
  },
  reportSwarmTraffic: OF_A_PEER,
  requestMyEmailChange: { 'already-exists': 'somebody has signed up with this address', ...GUESSED },
  requestPasswordReset: GUESSED,
  resetPassword: GUESSED,
  resumeJob: { ...CHANGED_JOB, 'wrong-state': 'it has ended, or its answer is being put together' },
  revokeToken: {
    'not-found': 'there is no such token, or it is another account’s',
    forbidden: 'a token cannot end one that may do more than itself',
  },
  sendUploadPart: {
    ...UPLOAD,
    ...NO_ROOM,
    'wrong-state': '`Upload-Offset` is not what has come so far',
    'bad-digest': 'the whole content does not have the declared SHA-256',
    'too-large': 'more came than `Upload-Length` has declared',
  },
  setJobVisibility: CHANGED_JOB,
  signIn: GUESSED,
  signUp: { 'already-exists': 'somebody has signed up with this address', ...GUESSED },
  submitJob: {
    ...REFUSED_JOB,
    'idempotency-conflict': 'the key has submitted another job, or one that was deleted',
  },
  updateHost: { ...ABSENT_HOST, ...EDITED },
  updateProject: { 'not-found': 'there is no such project, or it is not the caller’s', ...EDITED },
  updateTeam: {
    ...ABSENT_TEAM,
    ...EDITED,
    forbidden: 'only the keeper of the team and operators change it',
    'already-exists': 'the name is taken',
  },
  work: {
    ...OF_A_HOST,
    'agent-too-old': 'the coordinator no longer speaks this protocol: update, what was computed is kept',
  },
};

/** What an operation's own problems mean, by their HTTP status. */
export function problemsOf(operationId: string): ReadonlyMap<number, string> {
  const byStatus = new Map<number, string>();
  for (const [code, { status }] of Object.entries(PROBLEMS)) {
    // `as`: these are the keys of that very table.
    const meaning = OPERATION_PROBLEMS[operationId]?.[code as ProblemCode];
    if (meaning === undefined) continue;
    const before = byStatus.get(status);
    byStatus.set(status, `${before === undefined ? '' : `${before}; `}\`${code}\`: ${meaning}`);
  }
  return byStatus;
}
