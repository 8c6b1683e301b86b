import { resultDigestText, type ResultReport, type TaskAssignment } from '@gleaner/protocol';
import { sha256 } from './sha256.js';

/** The runtime of seeded jobs, which nothing computes: what hosts report for them is made up here. */
export const RUNTIME = 'test-1';

type Reported = Pick<ResultReport, 'outcome' | 'exitCode' | 'trapKind' | 'cycles'>;

/** The result that every honest host computes for a task. */
export function honestResult(
  { taskId, params }: Pick<TaskAssignment, 'taskId' | 'params'>,
  text = `unit ${JSON.stringify(params)}\n`,
  cycles = '123456',
): ResultReport {
  return resultWith({ taskId }, Buffer.from(text), { cycles });
}

/** A result with one output of these bytes, sent along unless `withheld`. */
export function resultWith(
  { taskId }: Pick<TaskAssignment, 'taskId'>,
  bytes: Buffer,
  { name = 'stdout', cycles = '5000', withheld = false } = {},
): ResultReport {
  const output = { name, size: bytes.length, sha256: sha256(bytes) };
  const result = { outcome: 'ok' as const, exitCode: 0, cycles, outputs: [output] };
  return {
    ...result,
    taskId,
    outputs: [withheld ? output : { ...output, base64: bytes.toString('base64') }],
    digest: sha256(resultDigestText(result)),
    runtimeVersion: RUNTIME,
  };
}

/** A result without outputs: how a unit ended, or why a host could not compute it. */
export function resultWithout(
  { taskId }: Pick<TaskAssignment, 'taskId'>,
  about: Partial<Reported> & Pick<Reported, 'outcome'> & { readonly message?: string },
): ResultReport {
  const { message, ...ended } = about;
  const result = { exitCode: 0, cycles: '0', outputs: [], ...ended };
  return {
    ...result,
    taskId,
    digest: sha256(resultDigestText(result)),
    runtimeVersion: RUNTIME,
    ...(message === undefined ? {} : { message }),
  };
}
