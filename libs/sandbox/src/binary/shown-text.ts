/** Longer names are cut: a module may hold one of 32 MiB, and reports are kept and shown to everybody. */
const SHOWN_LENGTH = 80;

/** Text of a module for reports and refusals: a bounded part, with what a terminal would obey or hide as an escape. */
export function shownText(text: string, maxLength = SHOWN_LENGTH): string {
  const part = text.length > maxLength ? `${text.slice(0, maxLength).toWellFormed()}…` : text;
  return part.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
  );
}
