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

let segmenter: Intl.Segmenter | undefined;
/** Made when it is needed: the website has none of this, and not every browser has segmenters. */
const graphemesOf = (text: string): Intl.Segments => (segmenter ??= new Intl.Segmenter()).segment(text);

/** Cells of a terminal that a text takes, which is not how long it is: `"日本".length` is 2, and it takes 4. */
export function cellsOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let cells = 0;
  for (const { segment } of graphemesOf(text)) cells += cellsOfGrapheme(segment);
  return cells;
}

/** What combines with a letter takes no cell of its own. */
function cellsOfGrapheme(segment: string): number {
  const letter = WIDE.test(segment) && !HALF_WIDTH.test(segment) ? 2 : 1;
  return letter + (segment.match(HALF_WIDTH_MARKS)?.length ?? 0);
}

/** As much of a text, from its beginning, as has room in so many cells. */
export function cutToCells(text: string, most: number): string {
  if (ASCII.test(text)) return text.slice(0, most);
  let left = most;
  let end = 0;
  for (const { segment, index } of graphemesOf(text)) {
    left -= cellsOfGrapheme(segment);
    if (left < 0) break;
    end = index + segment.length;
  }
  return text.slice(0, end);
}

/** A text that takes just so many cells: cut, or with spaces behind it. */
export function inCells(text: string, cells: number): string {
  const cut = cutToCells(text, cells);
  return cut + ' '.repeat(cells - cellsOf(cut));
}
