import { resolve } from 'node:path';
import { defaultDataDirectory, type DataDirectory } from '../data-directory.js';

/** A command to type for the same agent: it names the directory where a command without it would mean another agent. */
export function commandLine(command: string, { path }: DataDirectory): string {
  const usual = defaultDataDirectory();
  const isUsual = usual !== null && path === resolve(usual);
  return `gleaner agent ${command}${isUsual ? '' : ` --data ${word(path)}`}`;
}

/** As one word for the usual shells; what they would expand inside quotes is in hardly any path. */
function word(text: string): string {
  return /^[\w./:\\@~+-]+$/.test(text) ? text : `"${text}"`;
}
