import { realpathSync } from 'node:fs';
import { MEMORY_STEPS_MIB } from '@gleaner/domain';
import { tellLostStdout } from '@gleaner/worker-sdk/lost-stdout';
import { Command, CommanderError, Option } from 'commander';
import { DEFAULT_WEIGHT, MAX_WEIGHT } from './attachments.js';
import { type CommonOptions, directoryOf, wholeNumber, withCommon } from './command-options.js';
import { attach } from './commands/attach.js';
import { detach } from './commands/detach.js';
import { run } from './commands/run.js';
import { status } from './commands/status.js';
import { finish, pause, resume } from './control/control-commands.js';
import { parseDuration } from './control/duration.js';
import { defaultDataDirectory } from './data-directory.js';
import { AgentError, EXIT, serviceExitCode } from './exit-codes.js';
import { followProxies, trustSystemAuthoritiesOnDemand } from './network-settings.js';
import { prefs } from './policy/prefs-command.js';
import { install, uninstall } from './service/service-commands.js';
import { tell } from './terminal.js';
import { top } from './top/top-command.js';
import { AGENT_VERSION } from './version.js';

interface RunOptions {
  readonly cores?: number;
  readonly memory?: number;
  readonly buffer?: number;
  readonly snapshot?: number;
  readonly turn?: number;
  readonly keepAfter?: number;
  readonly log?: string;
  readonly once?: true;
  readonly always?: true;
}

/**
 * Runs one command of the agent and sets the process's exit code.
 *
 * @param prefix arguments that this program wants before the agent's own, for a service that starts it
 */
export async function runAgentProgram(
  args: readonly string[],
  prefix: readonly string[] = [],
): Promise<void> {
  // What `run` writes is a log: the work may end well although a line of it was lost.
  tellLostStdout(process, 'gleaner agent', { isAnswer: args[0] !== 'run' });
  try {
    followProxies();
    trustSystemAuthoritiesOnDemand();
    await createProgram([process.execPath, realpathSync(process.argv[1] ?? ''), ...prefix]).parseAsync(args, {
      from: 'user',
    });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
      return;
    }
    tell(`gleaner agent: ${textOf(error)}`);
    const code = error instanceof AgentError ? error.exitCode : EXIT.failure;
    process.exitCode = args.includes('--service') ? serviceExitCode(code, process.platform) : code;
  }
}

/** A stack only where nobody foresaw the error: that a file cannot be written, say, is the machine's own sentence. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isForeseen = error instanceof AgentError || 'syscall' in error;
  return isForeseen ? error.message : (error.stack ?? error.message);
}

/**
 * The agent's command line.
 *
 * @param self program and arguments that start it, for a service
 */
export function createProgram(self: readonly string[]): Command {
  const program = new Command('gleaner agent')
    .description('Computes for science when this machine is idle')
    .version(AGENT_VERSION)
    .exitOverride();
  withCommon(program.command('attach'))
    .description('join a project, or one more; its coordinator gives this machine a token that can only work')
    .argument('[url]', 'address of the coordinator; default: GLEANER_URL')
    .addOption(new Option('--url <url>', 'as the other commands of gleaner take it').hideHelp())
    .option('--anonymous', 'join without an account; it can be claimed later')
    .option(
      '--token <token>',
      'token of your account with the scope "work", for fleets; default: GLEANER_TOKEN',
    )
    .option(
      '--name <name>',
      'name of this machine, for leaderboards to show; default: its host name, which they do not show',
    )
    .option('--p2p', 'agree to exchange input data with other volunteers: they see your network address')
    .option('--no-p2p', 'everything comes from the coordinator')
    .option(
      '--weight <n>',
      `share of the cores in relation to other projects; default: ${DEFAULT_WEIGHT}`,
      wholeNumber(1, MAX_WEIGHT),
    )
    .addHelpText('after', () => `\n${attachHelp()}`)
    .action(
      async (
        url: string | undefined,
        options: CommonOptions & {
          anonymous?: true;
          token?: string;
          name?: string;
          p2p?: boolean;
          weight?: number;
          url?: string;
        },
      ) => {
        const inherited = options.anonymous ? undefined : process.env['GLEANER_TOKEN'] || undefined;
        await attach({
          url: url ?? options.url ?? requiredEnvironment('GLEANER_URL', 'give the address of a coordinator'),
          directory: directoryOf(options),
          anonymous: options.anonymous ?? false,
          token: options.token ?? inherited,
          isTokenInherited: options.token === undefined && inherited !== undefined,
          hostName: options.name,
          p2p: options.p2p,
          weight: options.weight,
          json: options.json ?? false,
        });
      },
    );
  withCommon(program.command('run'))
    .description('compute until told to stop (Ctrl-C)')
    .option(
      '--cores <n>',
      'tasks at the same time, at most one a core; default: all cores',
      wholeNumber(1, 1024),
    )
    .option(
      '--memory <mib>',
      `memory that one task may use; units are sorted by ${MEMORY_STEPS_MIB.join(', ')} MiB; default: half of the machine's, shared by the cores`,
      // Who offers less than the first step would be told all day that every unit needs more.
      wholeNumber(MEMORY_STEPS_MIB[0], 1 << 20),
    )
    .option(
      '--buffer <seconds>',
      'work to hold ready, in seconds of all cores; default: 60',
      wholeNumber(0, 864_000),
    )
    .option(
      '--snapshot <seconds>',
      'time between snapshots of a long task; default: 60',
      wholeNumber(1, 86_400),
    )
    .option(
      '--keep-after <seconds>',
      'computing (pauses do not count) after which a long task is kept when the agent ends, and not returned; default: 10',
      wholeNumber(0, 86_400),
    )
    .option(
      '--turn <seconds>',
      'time that a project keeps a core that another one waits for; default: 600',
      wholeNumber(1, 86_400),
    )
    .option('--log <file>', 'log into a file that rotates')
    .addOption(new Option('--service', 'started by a service manager, which starts it again').hideHelp())
    .option('--once', 'ask for work once, compute and report it, then end')
    .option('--always', 'compute whatever the machine is used for')
    .action(async (options: CommonOptions & RunOptions) => {
      await run({
        directory: directoryOf(options),
        cores: options.cores,
        memoryMiB: options.memory,
        bufferMs: options.buffer === undefined ? undefined : options.buffer * 1000,
        snapshotEveryMs: options.snapshot === undefined ? undefined : options.snapshot * 1000,
        keepAfterMs: options.keepAfter === undefined ? undefined : options.keepAfter * 1000,
        turnMs: options.turn === undefined ? undefined : options.turn * 1000,
        once: options.once ?? false,
        always: options.always ?? false,
        json: options.json ?? false,
        logFile: options.log,
      });
    });
  withCommon(program.command('status'))
    .description('what the agent does, or why it does nothing')
    .option('--check', 'fail unless an agent runs here that is attached to a project, for health checks')
    .action(async (options: CommonOptions & { check?: true }) => {
      await status({
        directory: directoryOf(options),
        isCheck: options.check ?? false,
        json: options.json ?? false,
      });
    });
  registerControl(program);
  registerService(program, self);
  withCommon(program.command('top'))
    .description('watch what the agent does (Ctrl-C ends)')
    .action(async (options: CommonOptions) => {
      await top({ directory: directoryOf(options), json: options.json ?? false });
    });
  withCommon(program.command('detach'))
    .description('leave a project and forget its token')
    .argument('[url]', 'address of its coordinator, where there are several')
    .action(async (url: string | undefined, options: CommonOptions) => {
      await detach({ directory: directoryOf(options), url, json: options.json ?? false });
    });
  return program;
}

function registerControl(program: Command): void {
  withCommon(program.command('pause'))
    .description('stop computing where it is, until told otherwise; holds across restarts')
    .option('--for <time>', 'such as 90m, 2h or 1d', parseDuration)
    .action(async (options: CommonOptions & { for?: number }) => {
      await pause({ directory: directoryOf(options), forMs: options.for, json: options.json ?? false });
    });
  withCommon(program.command('resume'))
    .description('compute again as the preferences say')
    .option('--always', 'compute whatever the machine is used for')
    .option('--for <time>', 'with --always: such as 90m, 2h or 1d', parseDuration)
    .action(async (options: CommonOptions & { always?: true; for?: number }) => {
      await resume({
        directory: directoryOf(options),
        always: options.always ?? false,
        forMs: options.for,
        json: options.json ?? false,
      });
    });
  withCommon(program.command('finish'))
    .description('complete the work at hand, then end')
    .action(async (options: CommonOptions) => {
      await finish({ directory: directoryOf(options), json: options.json ?? false });
    });
  withCommon(program.command('prefs'))
    .description('show or change what this machine may be used for')
    .argument('[name=value...]', 'such as whileInUse=compute hours.everyday=22:00-07:00; empty: the default')
    .action(async (changes: string[], options: CommonOptions) => {
      await prefs({ directory: directoryOf(options), changes, json: options.json ?? false });
    });
}

function registerService(program: Command, self: readonly string[]): void {
  withCommon(program.command('install'))
    .description('start with your session from now on: systemd unit, LaunchAgent or scheduled task')
    .option('--dry-run', 'show what would be done')
    .action(async (options: CommonOptions & { dryRun?: true }) => {
      const isDryRun = options.dryRun ?? false;
      await install({
        directory: directoryOf(options),
        command: self,
        isDryRun,
        json: options.json ?? false,
      });
    });
  withCommon(program.command('uninstall'))
    .description('start with your session no more')
    .option('--dry-run', 'show what would be done')
    .option('--remove-data', 'leave the project and remove everything that the agent kept')
    .action(async (options: CommonOptions & { dryRun?: true; removeData?: true }) => {
      await uninstall({
        directory: directoryOf(options),
        command: self,
        isDryRun: options.dryRun ?? false,
        removesData: options.removeData ?? false,
        json: options.json ?? false,
      });
    });
}

function attachHelp(): string {
  return `Without --anonymous, --token and GLEANER_TOKEN it shows a code, and waits until somebody has approved it in a browser.
Where GLEANER_TOKEN is set, it joins the account of that token at once, and says which one that is.

The machine gets a token of its own with the scope "work": it can take tasks and report results for this one host,
and nothing else. The token of your account is used once and kept nowhere; you can revoke the machine's on the
project's website, and "gleaner agent detach" gives it up.

Token, tasks, results and inputs are in the data directory (${defaultDataDirectory() ?? 'of --data'}), which
only you can read. Give each agent on this machine its own with --data, in every command.`;
}

function requiredEnvironment(name: string, advice: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new AgentError(`${advice}, or set ${name}`, EXIT.usage);
  return value;
}
