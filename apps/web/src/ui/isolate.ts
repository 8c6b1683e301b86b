const FIRST_STRONG_ISOLATE = '\u2068';
const POP_ISOLATE = '\u2069';

/** Somebody's words within a sentence of ours, whose order they cannot turn around; `<bdi>` for where there are no elements. */
export function isolate(words: string): string {
  return `${FIRST_STRONG_ISOLATE}${words}${POP_ISOLATE}`;
}
