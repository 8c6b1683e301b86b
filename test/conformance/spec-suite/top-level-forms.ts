/** A parenthesised expression at the top level of a script. Offsets in UTF-16 units, end exclusive; lines from 1. */
export interface Form {
  readonly keyword: string;
  readonly start: number;
  readonly end: number;
  readonly firstLine: number;
  readonly lastLine: number;
}

/** Strings, comments (block comments nest), parentheses, line ends. */
const TOKEN = /"(?:[^"\\]|\\.)*"|;;[^\n]*|\(;|;\)|[()\n]/g;

/** Splits a script into its forms. */
export function topLevelForms(source: string): Form[] {
  const forms: Form[] = [];
  let [depth, comments, line, start, firstLine] = [0, 0, 1, 0, 1];
  for (const { 0: token, index } of source.matchAll(TOKEN)) {
    if (token === '(;') comments++;
    else if (token === ';)') comments--;
    else if (token === '(' && comments === 0 && depth++ === 0) [start, firstLine] = [index, line];
    else if (token === ')' && comments === 0 && --depth === 0) {
      const keyword = /^\(\s*([a-z_]+)/.exec(source.slice(start, start + 64))?.[1] ?? '';
      forms.push({ keyword, start, end: index + 1, firstLine, lastLine: line });
    }
    line += token.split('\n').length - 1;
  }
  return forms;
}
