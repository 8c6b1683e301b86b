import type { Problem } from '@gleaner/protocol';

/** A problem document as people read it: what, why, and each place in the request that is wrong. */
export function problemLines(problem: Problem): string[] {
  const title = `${problem.title} (${problem.status} ${problem.code})`;
  const faults = (problem.errors ?? []).map(({ pointer, detail: text }) => `${pointer || '/'}: ${text}`);
  const places = faults.map((fault) => `  ${fault}`);
  // Nothing is said twice: the detail of a problem is often its one fault, or all of them in a row.
  const known = [problem.title, ...faults, faults.join('; ')];
  const detail = problem.detail === undefined || known.includes(problem.detail) ? [] : [problem.detail];
  return [title, ...detail, ...places];
}
