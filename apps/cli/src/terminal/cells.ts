/**
 * Begins with a letter that takes two cells of a terminal: what Unicode calls wide or full-width (Annex 11), as far as it is in use, and
 * what is shown as a picture.
 */
const WIDE =
  /^(?:[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\p{Emoji_Presentation}\u3000-\u303e\u3041-\u33ff\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6]|.\ufe0f)/u;
/** Letters of those scripts that are half as wide. */
const HALF_WIDTH = /^[\uff61-\uffdc]/;
/** Marks that combine with a letter, and take a cell all the same. */
const HALF_WIDTH_MARKS = /(?<=.)[\uff9e\uff9f]/gsu;
const ASCII = /^[\x20-\x7e]*$/;

const graphemes = new Intl.Segmenter();

/** Cells of a terminal that a text takes, which is not how long it is: `"日本".length` is 2, and it takes 4. */
export function cellsOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let cells = 0;
  // What combines with a letter takes no cell of its own.
  for (const { segment } of graphemes.segment(text)) {
    cells += WIDE.test(segment) && !HALF_WIDTH.test(segment) ? 2 : 1;
    cells += segment.match(HALF_WIDTH_MARKS)?.length ?? 0;
  }
  return cells;
}
