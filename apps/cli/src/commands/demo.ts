import { join } from 'node:path';
import { searchJob } from '@gleaner/example-seti-classic';
import { job as jobSchema, leaderboardRow, type Job, type LeaderboardRow } from '@gleaner/protocol';
import type { Command } from 'commander';
import { ApiClient } from '../api/api-client.js';
import { uploadBlob } from '../api/upload-blob.js';
import { watchJob } from '../api/watch-job.js';
import { CliError, EXIT } from '../cli-error.js';
import { wholeNumber, withLocalOptions } from '../common-options.js';
import { DemoAgents } from '../demo/demo-agents.js';
import { DemoDirectory } from '../demo/demo-directory.js';
import {
  chirpsPerUnit,
  DEFAULT_CHIRPS,
  DEFAULT_UNITS,
  parseChirpRange,
  type ChirpRange,
  type DemoOptions,
} from '../demo/demo-options.js';
import { prepareProject, type DemoProject } from '../demo/demo-project.js';
import { summarise, summaryLines, type DemoSummary } from '../demo/demo-summary.js';
import { makeTape, openTape, type DemoTape } from '../demo/demo-tape.js';
import { CoordinatorProcess, drawToken } from '../processes/coordinator-process.js';
import { requireFreePort } from '../processes/require-free-port.js';
import { aborted, rejectOnAbort, stopSignal } from '../processes/stop-signal.js';
import { note, print, printJson } from '../terminal/output.js';

const VOLUNTEERS = ['Ada', 'Grace', 'Katherine'];

export function registerDemo(program: Command): void {
  withLocalOptions(program.command('demo'), 'the last line on stdout is a summary in JSON')
    .description('a whole Gleaner on this machine: coordinator, three volunteers, a search for signals')
    .option('--exit', 'end when the search has ended')
    .option('--tape <file>', 'search this SETI@home work unit (.sah) instead of a generated tape')
    .option('--chirp <from:to>', 'half-open range of chirp indices to search', parseChirpRange)
    .option('--units <n>', 'work units to cut it into', wholeNumber(1, 100_000))
    .option('--seed <n>', 'seed of the generated tape', wholeNumber(0, 2 ** 48), 1)
    .option('--port <port>', 'port of the coordinator; 0 takes a free one', wholeNumber(0, 65_535), 0)
    .action(demo);
}

async function demo(options: DemoOptions): Promise<void> {
  await requireFreePort(options.port, '127.0.0.1');
  const signal = stopSignal();
  const startedMs = Date.now();
  await using cleanUp = new AsyncDisposableStack();
  const directory = cleanUp.use(await DemoDirectory.create()).path;

  const chirps = options.chirp ?? DEFAULT_CHIRPS;
  const tape =
    options.tape === undefined
      ? await makeTape(directory, options.seed, chirps)
      : await openTape(options.tape);
  note('Starting the coordinator …');
  const operatorToken = drawToken();
  const coordinator = await CoordinatorProcess.start({
    env: {
      GLEANER_PORT: String(options.port),
      GLEANER_HOST: '127.0.0.1',
      GLEANER_DATA: join(directory, 'coordinator'),
      GLEANER_OPERATOR_TOKEN: operatorToken,
      // All volunteers of the demo are on this machine.
      GLEANER_ALLOW_SAME_NETWORK: '1',
      GLEANER_LOG_LEVEL: process.env['GLEANER_LOG_LEVEL'] ?? 'error',
      DATABASE_URL: undefined,
    },
    onLog: note,
    signal,
  });
  cleanUp.defer(() => coordinator.stop());
  note(`The coordinator serves at ${coordinator.url}`);
  const operator = new ApiClient({ url: coordinator.url, token: operatorToken });
  const search = searchWithVolunteers({
    options,
    tape,
    chirps,
    directory,
    operator,
    cleanUp,
    startedMs,
    signal,
  });
  const summary = await Promise.race([search, coordinator.failed(), rejectOnAbort(signal)]);
  if (options.json) printJson(summary);
  if (!options.exit) {
    note('\nStill serving. To submit a job of your own, in another terminal:');
    note(`  export GLEANER_URL=${coordinator.url} GLEANER_TOKEN=${operatorToken}`);
    note('Ctrl-C ends the demo and removes its data.');
    await Promise.race([aborted(signal), coordinator.failed()]);
  }
  if (summary.job.state !== 'completed') {
    throw new CliError(`The search ${summary.job.state}: ${summary.job.stateReason ?? ''}`, EXIT.jobFailed);
  }
}

interface Search {
  readonly options: DemoOptions;
  readonly tape: DemoTape;
  readonly chirps: ChirpRange;
  readonly directory: string;
  readonly operator: ApiClient;
  readonly cleanUp: AsyncDisposableStack;
  readonly startedMs: number;
  readonly signal: AbortSignal;
}

async function searchWithVolunteers(search: Search): Promise<DemoSummary> {
  const { options, tape, chirps, directory, operator, cleanUp, signal } = search;
  const project = await prepareProject(operator, VOLUNTEERS);
  // The job comes first: agents that find no work ask again only after a while.
  const step = chirpsPerUnit(chirps, options.units ?? DEFAULT_UNITS);
  const jobId = await submit(project, tape, chirps, step, signal);
  const agents = cleanUp.use(new DemoAgents());
  await Promise.all(
    project.volunteers.map(({ name, token }) =>
      agents.start({
        url: operator.target.url,
        accountToken: token,
        name,
        directory: join(directory, 'agents'),
      }),
    ),
  );
  note(`Three volunteers joined: ${VOLUNTEERS.join(', ')}`);
  note(
    `Searching ${tape.name} at chirps ${chirps.from}:${chirps.to}` +
      (tape.injected ? ` for ${tape.injected.length} injected tones …` : ' …'),
  );
  const job = await watchWith(project.scientist, jobId, agents, signal);
  const answer = job.output ? await answerOf(project.scientist, jobId, signal) : '';
  const leaderboard = await leaderboardOf(operator);
  const summary = summarise(tape, job, answer, leaderboard, (Date.now() - search.startedMs) / 1000);
  for (const line of summaryLines(tape, summary, answer)) (options.json ? note : print)(line);
  return summary;
}

/** Ends with the job, or as soon as a volunteer's agent fails; nothing goes on watching then. */
async function watchWith(
  scientist: ApiClient,
  id: string,
  agents: DemoAgents,
  signal: AbortSignal,
): Promise<Job> {
  const watching = new AbortController();
  try {
    return await Promise.race([
      watchJob(scientist, id, AbortSignal.any([signal, watching.signal])),
      agents.failed(),
    ]);
  } finally {
    watching.abort();
  }
}

async function submit(
  { project, app, scientist }: DemoProject,
  tape: DemoTape,
  chirps: ChirpRange,
  step: number,
  signal: AbortSignal,
): Promise<string> {
  const { blobId } = await uploadBlob(scientist, tape.path, { signal });
  const spec = searchJob({
    name: tape.name,
    app,
    tape: blobId,
    fromChirp: chirps.from,
    toChirp: chirps.to,
    unitChirps: step,
  });
  const { id } = await scientist.request('/v1/jobs', jobSchema, {
    method: 'POST',
    json: { project, spec },
    signal,
  });
  return id;
}

async function answerOf(api: ApiClient, jobId: string, signal: AbortSignal): Promise<string> {
  const response = await api.send(`/v1/jobs/${jobId}/output`, { signal });
  return response.text();
}

async function leaderboardOf(api: ApiClient): Promise<LeaderboardRow[]> {
  return api.list('/v1/leaderboards/accounts', leaderboardRow, 10);
}
