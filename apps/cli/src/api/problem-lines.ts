import type { Problem } from '@gleaner/protocol';

/** A problem document as people read it: what, why, and each place in the request that is wrong. */
export function problemLines(problem: Problem): string[] {
  const title = `${problem.title} (${problem.status} ${problem.code})`;
  const detail = problem.detail === undefined || problem.detail === problem.title ? [] : [problem.detail];
  const places = (problem.errors ?? []).map(({ pointer, detail: text }) => `  ${pointer || '/'}: ${text}`);
  return [title, ...detail, ...places];
}
