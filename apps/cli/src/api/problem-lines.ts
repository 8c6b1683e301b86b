import type { Problem } from '@gleaner/protocol';

/** A problem document as people read it: what, why, and each place in the request that is wrong. */
export function problemLines(problem: Problem): string[] {
  const title = `${problem.title} (${problem.status} ${problem.code})`;
  const places = (problem.errors ?? []).map(({ pointer, detail: text }) => `  ${pointer || '/'}: ${text}`);
  // Nothing is said twice: the detail of a problem with one fault is often that fault.
  const known = [problem.title, ...places.map((place) => place.trim())];
  const detail = problem.detail === undefined || known.includes(problem.detail) ? [] : [problem.detail];
  return [title, ...detail, ...places];
}
