/** Text in which others may have had a say: what a terminal would take for an order is shown as an escape. */
export function harmless(text: string): string {
  return text.replace(
    /(?![\n\t])\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
