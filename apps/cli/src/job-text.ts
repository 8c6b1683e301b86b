import { readFile, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { formatBytes, LIMITS } from '@gleaner/protocol';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { CliError, EXIT, reasonOf } from './cli-error.js';

/**
 * What a file in JSON or YAML says, in UTF-8, or in UTF-16 where its byte order mark tells. Integers that no number holds
 * exactly stay bigints.
 *
 * @throws {CliError} where it cannot be read or understood
 */
export async function readJobText(path: string): Promise<unknown> {
  const bytes = await readBytes(path).catch((error: unknown) => {
    throw new CliError(`Cannot read the job file ${path}: ${reasonOf(error)}`, EXIT.usage, { cause: error });
  });
  return parse(path, decode(path, bytes));
}

async function readBytes(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  // What is larger no coordinator takes, and it is most often an input.
  if (size > LIMITS.bodyBytes) {
    throw new RangeError(
      `it has ${formatBytes(size)}, and a job file at most ${formatBytes(LIMITS.bodyBytes)}`,
    );
  }
  return readFile(path);
}

function decode(path: string, bytes: Uint8Array): string {
  const mark = (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0);
  const encoding = mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    throw new CliError(`${path} is not text in UTF-8: save it in that encoding`, EXIT.usage, {
      cause: error,
    });
  }
}

function parse(path: string, text: string): unknown {
  if (text.trim() === '') throw new CliError(`${path} is empty`, EXIT.usage);
  if (extname(path).toLowerCase() === '.json') requireJson(path, text);
  try {
    // YAML 1.2 contains JSON; `core` keeps dates and such as text.
    return parseYaml(text, asNumber, { schema: 'core', maxAliasCount: 100, intAsBigInt: true });
  } catch (error) {
    throw new CliError(`${path} is neither JSON nor YAML: ${reasonOfYaml(error)}`, EXIT.usage, {
      cause: error,
    });
  }
}

/** YAML would take a comment for text: `[3, // small`, and 7 in the next line, would be 3 and "// small 7". */
function requireJson(path: string, text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    // It shows a piece of the file, line ends included.
    const reason = reasonOf(error).replaceAll(/\s+/g, ' ');
    const advice = 'a file with comments can be YAML: call it .yaml, and begin them with "#"';
    throw new CliError(`${path} is not JSON: ${reason}; ${advice}`, EXIT.usage, { cause: error });
  }
}

/** As a number, an integer beyond these would become another one. */
function asNumber(_key: unknown, value: unknown): unknown {
  const isExact = typeof value === 'bigint' && Number.isSafeInteger(Number(value));
  return isExact ? Number(value) : value;
}

function reasonOfYaml(error: unknown): string {
  // The parser's own word for an alias without its anchor, which nobody meant to write.
  if (error instanceof ReferenceError) return `${error.message}; text that begins with "*" needs quotes`;
  if (!(error instanceof YAMLParseError)) throw error;
  return error.code === 'MULTIPLE_DOCS'
    ? 'it holds several documents, with "---" between them: write each job into a file of its own'
    : error.message;
}
