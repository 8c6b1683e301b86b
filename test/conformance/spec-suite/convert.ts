import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Script } from './script.js';
import { type Form, topLevelForms } from './top-level-forms.js';

/** Spellings that Debian's wabt does not read yet, and the longer ones that mean the same. */
const SPELLINGS: ReadonlyArray<readonly [newer: RegExp, older: string]> = [
  [/\((table\.(?:get|set|size|grow|fill))(?=\s*[()])/g, '($1 0'],
  [/\(if \((i32\.const \d+)\) \((i32\.eqz)\) \(then/g, '(if ($2 ($1)) (then'],
];

/** A script as wabt understood it, and what it could not read. */
export interface ConvertedScript {
  readonly script: Script | null;
  /** All forms of the file, assertions, modules and others. */
  readonly forms: number;
  readonly unreadable: readonly Form[];
  /** What wabt said of the first unreadable form; null where it read everything. */
  readonly complaint: string | null;
}

const MAX_ATTEMPTS = 400;

/**
 * Turns a `.wast` file into JSON and modules in `directory`. wabt refuses a file at the first construct that is newer
 * than itself: that form, with the assertions on it, is left out and the rest tried again. Throws without wabt.
 */
export async function convertScript(file: string, directory: string): Promise<ConvertedScript> {
  const original = await readFile(file, 'utf8');
  const source = SPELLINGS.reduce((text, [newer, older]) => text.replace(newer, older), original);
  const plain = await convertWith([], source, basename(file), directory);
  if (plain.script !== null && plain.unreadable.length === 0) return plain;
  // Let modules beyond the profile be read where that helps, so that admission names the rule that refuses them.
  const everything = await convertWith(['--enable-all'], source, basename(file), directory);
  if (everything.unreadable.length < plain.unreadable.length) return everything;
  return convertWith([], source, basename(file), directory);
}

async function convertWith(
  flags: readonly string[],
  source: string,
  name: string,
  directory: string,
): Promise<ConvertedScript> {
  const input = join(directory, name);
  const output = join(directory, `${name}.json`);
  const forms = topLevelForms(source);
  const total = forms.length;
  const unreadable: Form[] = [];
  let complaint: string | null = null;
  let text = source;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    await writeFile(input, text);
    const failure = await wast2json([...flags, input, '-o', output]);
    if (failure === null) {
      const script = JSON.parse(await readFile(output, 'utf8')) as Script;
      return { script, forms: total, unreadable, complaint };
    }
    complaint ??= failure.split('\n')[0] ?? '';
    const line = Number(/:(\d+):\d+: error/.exec(failure)?.[1]);
    const index = forms.findIndex((form) => form.firstLine <= line && line <= form.lastLine);
    const culprit = forms[index];
    if (culprit === undefined) break;
    for (const form of dependents(source, forms, index)) {
      text = blank(text, form);
      forms.splice(forms.indexOf(form), 1);
      unreadable.push(form);
    }
  }
  return { script: null, forms: total, unreadable: [...unreadable, ...forms], complaint };
}

/** The form, and for a module what speaks of it: what follows up to the next module, unless it names another one. */
function dependents(source: string, forms: readonly Form[], index: number): Form[] {
  const [first, ...rest] = forms.slice(index);
  if (first === undefined) return [];
  if (first.keyword !== 'module') return [first];
  const next = rest.findIndex(({ keyword }) => keyword === 'module');
  const following = next === -1 ? rest : rest.slice(0, next);
  return [first, ...following.filter(({ start, end }) => !isIndependent(source.slice(start, end)))];
}

/** Whether a form speaks of a module that it names, or of one that it contains. A name that is gone is unreadable itself. */
function isIndependent(form: string): boolean {
  return (
    /^\(\s*(?:assert_\w+\s*\(\s*)?(?:invoke|get)\s+\$/.test(form) ||
    /^\(\s*register\s+"[^"]*"\s+\$/.test(form) ||
    /^\(\s*assert_\w+\s*\(\s*module\b/.test(form)
  );
}

/** Spaces instead of the form, so that line numbers stay. */
function blank(text: string, { start, end }: Form): string {
  return text.slice(0, start) + text.slice(start, end).replace(/[^\n]/g, ' ') + text.slice(end);
}

/** Returns what wabt complains about, or null. */
function wast2json(args: readonly string[]): Promise<string | null> {
  return new Promise((resolve, reject) => {
    execFile('wast2json', args, { maxBuffer: 64 * 1024 * 1024 }, (error, _stdout, stderr) => {
      if (error === null) resolve(null);
      else if (error.code === 'ENOENT')
        reject(new Error('wast2json is not installed: apt-get install wabt', { cause: error }));
      else resolve(stderr === '' ? error.message : stderr);
    });
  });
}
