import {
  account,
  createdToken,
  isoInstant,
  leaderboardRow,
  project,
  scope,
  token as tokenSchema,
  type Scope,
} from '@gleaner/protocol';
import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  apiOf,
  entityNumber,
  withCommonOptions,
  wholeNumber,
  type CommonOptions,
} from '../common-options.js';
import { groupDigits, note, print, printJson, tableLines } from '../terminal/output.js';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** Accounts, tokens, projects and the leaderboard: what an installation needs before its first job, and after it. */
export function registerAccounts(program: Command): void {
  registerAccount(program.command('account').description('accounts (operators)'));
  registerToken(program.command('token').description('your tokens'));
  registerProject(program.command('project').description('projects: create, approve, list, add scientists'));
  withCommonOptions(program.command('leaderboard'))
    .description('who has contributed most')
    .option('--limit <n>', 'rows', wholeNumber(1, 1000), 20)
    .action(async (options: CommonOptions & { limit: number }) => {
      const rows = await apiOf(options).list('/v1/leaderboards/accounts', leaderboardRow, options.limit);
      if (options.json) printJson(rows);
      else print(leaderboardLines(rows).join('\n'));
    });
}

/** The leaderboard as people read it. */
export function leaderboardLines(
  rows: ReadonlyArray<{ rank: number; name: string; credit: string; validTasks: number }>,
): string[] {
  return tableLines(
    ['rank', 'name', 'cycles', 'valid tasks'],
    rows.map(({ rank, name, credit, validTasks }) => [`${rank}`, name, groupDigits(credit), `${validTasks}`]),
  );
}

function registerAccount(command: Command): void {
  withCommonOptions(command.command('create <name>'))
    .description('make an account and a first token for it')
    .option('--operator', 'it may approve projects and apps')
    .addOption(scopesOption('what its token may do', ['work', 'submit']))
    .action(async (name: string, options: CommonOptions & { operator?: true; scopes: Scope[] }) => {
      const api = apiOf(options);
      const made = await api.request('/v1/accounts', account, {
        method: 'POST',
        json: { name, operator: options.operator ?? false },
      });
      const token = await api
        .request(`/v1/accounts/${made.id}/tokens`, createdToken, {
          method: 'POST',
          json: { label: 'first token', scopes: options.scopes },
        })
        .catch((error: unknown) => {
          const again = `gleaner token create "first token" --account ${made.id} --scopes ${options.scopes.join(',')}`;
          note(`Account ${made.id} "${made.name}" is made, and its token is not. To make it: ${again}`);
          throw error;
        });
      if (options.json) {
        printJson({ account: made, token: token.secret });
        return;
      }
      note(`Account ${made.id} "${made.name}". Its token, shown only this once:`);
      print(token.secret);
    });
}

interface NewTokenOptions {
  readonly scopes: Scope[];
  readonly expires?: string;
  readonly account?: string;
}

function registerToken(command: Command): void {
  withCommonOptions(command.command('create <label>'))
    .description('make another token of your account; prints it, this only once')
    .addOption(scopesOption('what it may do', ['work']))
    .addOption(
      new Option(
        '--expires <when>',
        'when it ends: after days or hours (90d, 12h), or a time such as 2027-01-31T12:00:00Z; default: never',
      ).argParser(parseExpiry),
    )
    .option('--account <id>', 'for this account (operators); default: yours', entityNumber)
    .action(async (label: string, options: CommonOptions & NewTokenOptions) => {
      const { scopes, expires: expiresAt, account: id } = options;
      const path = id === undefined ? '/v1/tokens' : `/v1/accounts/${id}/tokens`;
      const made = await apiOf(options).request(path, createdToken, {
        method: 'POST',
        json: { label, scopes, ...(expiresAt !== undefined && { expiresAt }) },
      });
      if (options.json) printJson(made);
      else print(made.secret);
    });
  withCommonOptions(command.command('list'))
    .description('what your tokens may do and when they were used; never what they are')
    .option('--limit <n>', 'rows', wholeNumber(1, 10_000), 50)
    .action(async (options: CommonOptions & { limit: number }) => {
      const tokens = await apiOf(options).list('/v1/tokens', tokenSchema, options.limit);
      if (options.json) {
        printJson(tokens);
        return;
      }
      const rows = tokens.map(({ id, label, scopes, lastUsedAt, expiresAt, revokedAt }) => [
        id,
        label,
        scopes.join(','),
        lastUsedAt ?? 'never',
        revokedAt === null ? endOf(expiresAt) : `revoked ${revokedAt}`,
      ]);
      print(tableLines(['id', 'label', 'may', 'last used', 'ends'], rows).join('\n'));
    });
  withCommonOptions(command.command('revoke').argument('<id>', 'its number', entityNumber))
    .description('make a token useless at once')
    .action(async (id: string, options: CommonOptions) => {
      await apiOf(options).order(`/v1/tokens/${id}`, { method: 'DELETE' });
      if (options.json) printJson({ revoked: id });
      else note(`Token ${id} is revoked.`);
    });
}

function registerProject(command: Command): void {
  withCommonOptions(command.command('create <slug>'))
    .description('propose a project; an operator approves it')
    .option('--name <name>', 'its full name; default: the slug')
    .addOption(new Option('--description <text>', 'what it searches for').default('', 'empty'))
    .action(async (slug: string, options: CommonOptions & { name?: string; description: string }) => {
      const made = await apiOf(options).request('/v1/projects', project, {
        method: 'POST',
        json: { slug, name: options.name ?? slug, description: options.description },
      });
      if (options.json) printJson(made);
      else note(made.approved ? `${slug} is approved.` : `${slug} waits for an operator's approval.`);
    });
  withCommonOptions(command.command('list'))
    .description('projects that you can see, newest first')
    .option('--limit <n>', 'rows', wholeNumber(1, 10_000), 50)
    .action(async (options: CommonOptions & { limit: number }) => {
      const projects = await apiOf(options).list('/v1/projects', project, options.limit);
      if (options.json) {
        printJson(projects);
        return;
      }
      const rows = projects.map(({ slug, name, approved }) => [slug, name, approved ? 'approved' : 'waits']);
      print(tableLines(['slug', 'name', 'state'], rows).join('\n'));
    });
  withCommonOptions(command.command('approve <slug>'))
    .description('let a project publish and submit (operators)')
    .action(async (slug: string, options: CommonOptions) => {
      const approved = await apiOf(options).request(`/v1/projects/${slug}/approval`, project, {
        method: 'POST',
      });
      if (options.json) printJson(approved);
      else note(`${slug} is approved.`);
    });
  withCommonOptions(command.command('add-scientist <slug> <account>'))
    .description('let an account submit jobs to a project (operators)')
    .action(async (slug: string, accountId: string, options: CommonOptions) => {
      await apiOf(options).order(`/v1/projects/${slug}/scientists`, { method: 'POST', json: { accountId } });
      if (options.json) printJson({ project: slug, accountId });
      else note(`Account ${accountId} may submit to ${slug}.`);
    });
}

function scopesOption(description: string, byDefault: readonly Scope[]): Option {
  return new Option('--scopes <list>', `${description}: ${scope.options.join(',')}`)
    .argParser(parseScopes)
    .default(byDefault, byDefault.join(','));
}

function endOf(expiresAt: string | null): string {
  if (expiresAt === null) return 'never';
  return Date.parse(expiresAt) > Date.now() ? expiresAt : `expired ${expiresAt}`;
}

/** The time in ISO 8601 that `90d`, `12h`, or such a time itself, means. */
function parseExpiry(text: string): string {
  const [, amount, unit] = /^(\d{1,5})([dh])$/.exec(text) ?? [];
  if (amount !== undefined) {
    const ms = Number(amount) * (unit === 'd' ? DAY_MS : HOUR_MS);
    return new Date(Date.now() + ms).toISOString();
  }
  if (isoInstant.safeParse(text).success) return text;
  throw new InvalidArgumentError(
    'must be days or hours, such as 90d or 12h, or a time such as 2027-01-31T12:00:00Z',
  );
}

function parseScopes(text: string): Scope[] {
  return text.split(',').map((name) => {
    const parsed = scope.safeParse(name.trim());
    if (parsed.success) return parsed.data;
    throw new InvalidArgumentError(
      `"${name.trim()}" is no scope: give one or more of ${scope.options.join(',')}`,
    );
  });
}
