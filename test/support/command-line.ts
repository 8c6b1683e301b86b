import { parseArgs } from 'node:util';

/** An option as `parseArgs` of Node knows it, and what it is for. */
interface CommandOption {
  readonly type: 'string' | 'boolean';
  readonly default?: string | boolean;
  readonly help: string;
}

export interface Command<O extends Readonly<Record<string, CommandOption>>> {
  /** How it is started, such as `npm run bench:swarm`. */
  readonly start: string;
  /** One sentence. */
  readonly purpose: string;
  /** What follows the options, such as `DIR`; absent: nothing may. */
  readonly positional?: string;
  readonly options: O;
}

type AnyCommand = Command<Readonly<Record<string, CommandOption>>>;

const HELP = { help: { type: 'boolean', default: false, help: 'print this' } } as const;

/** Reads a command's arguments. `--help` prints its options and ends it; what it does not know ends it with status 2. */
export function readCommandLine<const O extends Readonly<Record<string, CommandOption>>>(
  command: Command<O>,
  args: readonly string[] = process.argv.slice(2),
) {
  const options = { ...command.options, ...HELP };
  const allowPositionals = command.positional !== undefined;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals });
    if (!args.includes('--help')) return { values, positionals };
  } catch (error) {
    refuse(command, error instanceof Error ? error.message : String(error));
  }
  console.log(helpText(command));
  endWith(0);
}

/** What an option says as a whole number from `min` to `max`; anything else ends the command with status 2. */
export function wholeNumber(
  command: AnyCommand,
  name: string,
  text: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < min || value > max) {
    refuse(command, `--${name} must be a whole number from ${min} to ${max}, not ${text}`);
  }
  return value;
}

/** Ends the command with status 2: its arguments are not usable. */
export function refuse(command: AnyCommand, reason: string): never {
  console.error(`${reason}\n\n${helpText(command)}`);
  endWith(2);
}

/**
 * Ends the command, which holds nothing yet that would keep it running. Not by `process.exit`: that joins the engine's threads, and one that
 * compiles what was just loaded may wait for the main thread to collect garbage (nodejs/node#54918). Seen once, for good.
 */
function endWith(status: number): never {
  const end = new Error(`the command ends with status ${status}`);
  process.exitCode = status;
  process.on('uncaughtException', (error) => {
    if (error === end) return;
    console.error(error);
    process.exitCode = 1;
  });
  throw end;
}

function helpText({ start, purpose, positional, options }: AnyCommand): string {
  const described: Readonly<Record<string, CommandOption>> = { ...options, ...HELP };
  const rows = Object.entries(described).map(([name, option]) => [
    `--${name}${option.type === 'string' ? ' VALUE' : ''}`,
    `${option.help}${typeof option.default === 'string' && option.default !== '' ? ` (${option.default})` : ''}`,
  ]);
  const width = Math.max(...rows.map(([left = '']) => left.length));
  const lines = rows.map(([left = '', right]) => `  ${left.padEnd(width)}  ${right}`);
  const usage = `${start} -- ${positional === undefined ? '' : `${positional} `}[OPTIONS]`;
  return [usage, purpose, '', ...lines].join('\n');
}
