import { createInterface } from 'node:readline/promises';
import { CoordinatorError, describeCoordinator, describeWork } from '@gleaner/worker-sdk';
import { AgentError, EXIT } from '../exit-codes.js';
import { tell } from '../terminal.js';
import { asAgentError } from './as-agent-error.js';

/** Jobs that are named; the website shows all of them. */
const NAMED_JOBS = 5;
const ANSWER_WITHIN_MS = 10_000;

/**
 * Tells who runs the project, what it computes and what joining means, before anything is sent that would join it.
 *
 * @throws {AgentError} when nobody answers there
 */
export async function introduce(url: URL, withinMs = ANSWER_WITHIN_MS): Promise<void> {
  const signal = AbortSignal.timeout(withinMs);
  const info = await describeCoordinator(url, signal).catch((error: unknown) => {
    // Nobody is asked for consent to a project that is not there; what is no coordinator says so when the host is to be attached.
    if (error instanceof CoordinatorError) {
      if (error.kind === 'unreachable') throw asAgentError(error);
      return null;
    }
    if (signal.aborted) {
      const message = `${url.origin} cannot be reached (no answer within ${withinMs / 1000} s)`;
      throw new AgentError(message, EXIT.coordinatorUnreachable, { cause: error });
    }
    return null;
  });
  if (!info) return;
  const source = info.sourceUrl === '' ? 'not told by its operator' : info.sourceUrl;
  const contact = info.operator.contact === '' ? '' : ` (${info.operator.contact})`;
  tell(
    `${info.name} at ${url.origin} is run by ${info.operator.name}${contact}.\n` +
      'It computes programs that its operator approved, in a sandbox that has no access to your files and network.\n' +
      `${await workText(url, signal)}\n` +
      `Its source: ${source}`,
  );
}

async function workText(url: URL, signal: AbortSignal): Promise<string> {
  const jobs = await describeWork(url, signal).catch(() => []);
  if (jobs.length === 0) return 'It shows no job at the moment.';
  const names = jobs
    .slice(0, NAMED_JOBS)
    .map(({ name, app, project }) => `  ${name} (${app}), for ${project.name}`);
  const more = jobs.length > NAMED_JOBS ? [`  and more: ${new URL('/', url).href}`] : [];
  return ['It computes now:', ...names, ...more].join('\n');
}

const CONSENT_TEXT =
  'Volunteers can fetch input data from each other (peer to peer), which spares the project its line. Those who take part\n' +
  'see your network address and which inputs you have, and that you volunteer here; never who you are.\n' +
  'Without it everything comes from the coordinator, and you help just as much. Change it at any time: gleaner agent prefs p2p=true\n';

/**
 * Whether this host may exchange data with other volunteers: as told, else as answered at a terminal, else not.
 *
 * @throws {AgentError} when whoever is asked leaves
 */
export async function consentToPeers(told: boolean | undefined): Promise<boolean> {
  if (told !== undefined) return told;
  process.stderr.write(CONSENT_TEXT);
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    process.stderr.write('It stays off for this machine; --p2p agrees to it.\n');
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question('Take part? [y/N] ').catch((error: unknown) => {
    // Ctrl-C and Ctrl-D are no answer.
    throw new AgentError('not attached: the question was not answered', EXIT.failure, { cause: error });
  });
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
