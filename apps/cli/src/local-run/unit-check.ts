import type { UnitResult } from '@gleaner/sandbox/runner';

/** What two runs of one unit must agree on, in words; null when they agree. */
export function disagreement(first: UnitResult, second: UnitResult): string | null {
  if (first.outcome !== second.outcome)
    return `one run ended with ${first.outcome}, the other with ${second.outcome}`;
  if (first.exitCode !== second.exitCode) return `exit codes ${first.exitCode} and ${second.exitCode}`;
  if (first.cycles !== second.cycles) return `${first.cycles} and ${second.cycles} cycles`;
  for (const output of first.outputs) {
    const other = second.outputs.find(({ name }) => name === output.name);
    if (other?.sha256 !== output.sha256) return `output ${output.name} differs`;
  }
  return null;
}

/** Where a job file sets the limits that a unit may reach. */
const LIMIT_FIELDS: Partial<Record<UnitResult['outcome'], string>> = {
  'cycle-limit': 'limits.maxCycles',
  'output-limit': 'limits.outputBytes',
};

/** What to do about a limit that units of a job reach; null for everything else. */
export function limitAdvice(outcome: UnitResult['outcome'] | null): string | null {
  const field = outcome === null ? undefined : LIMIT_FIELDS[outcome];
  return field === undefined ? null : `cut smaller units, or raise ${field} in the job file`;
}

/** Why a unit gave no result, in a sentence with the end of its stderr; null when it did. */
export function failure(result: UnitResult): string | null {
  if (result.outcome === 'ok') return null;
  const kind =
    result.outcome === 'exit' ? `exit code ${result.exitCode}` : (result.trapKind ?? result.outcome);
  const stderr = result.stderr.trim();
  const limit = limitAdvice(result.outcome);
  const advice = limit === null ? '' : `: ${limit}`;
  // Engines name some traps by their kind alone.
  const message = result.message === kind ? null : (result.message?.replace(`${kind}; `, '') ?? null);
  return [
    kind,
    message === null ? null : `${message}${advice}`,
    stderr === '' ? null : `its stderr ends with:\n${stderr}`,
  ]
    .filter((part) => part !== null)
    .join('; ');
}
