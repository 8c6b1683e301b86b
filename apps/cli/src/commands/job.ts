import { access, constants, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  formatBytes,
  hexOfBlobId,
  type Job,
  job as jobSchema,
  jobEstimate,
  type JobEstimate,
  type JobSpec,
  publicJobView,
  type PublicJobView,
} from '@gleaner/protocol';
import type { Command } from 'commander';
import { ApiProblemError, type ApiClient } from '../api/api-client.js';
import { download } from '../api/download.js';
import { resolveProject } from '../api/resolve-project.js';
import { submitJob } from '../api/submit-job.js';
import { uploadWithBar } from '../api/upload-with-bar.js';
import { watchJob, waysOn } from '../api/watch-job.js';
import { CliError, EXIT, reasonOf } from '../cli-error.js';
import {
  apiOf,
  entityNumber,
  headerText,
  withCommonOptions,
  wholeNumber,
  type CommonOptions,
} from '../common-options.js';
import { completeJob, inputOption, readJobFile } from '../job-file.js';
import { stopSignal } from '../processes/stop-signal.js';
import { isConfirmed } from '../terminal/confirm.js';
import { groupDigits, note, print, printJson, quotedList, tableLines } from '../terminal/output.js';
import { swarmLines } from '../terminal/swarm-lines.js';
import { OUTPUT_OPTION } from './blob.js';
import { registerJobUnits } from './job-units.js';

interface FileOptions extends CommonOptions {
  readonly project?: string;
  readonly input: readonly string[];
}

export function registerJob(program: Command): void {
  const job = program.command('job').description('jobs: submit, watch, fetch the answer');
  withFileOptions(job.command('submit <file>'))
    .description('submit a job file (JSON or YAML); inputs that are files are uploaded first')
    .option('--watch', 'show its progress until it ends')
    .option('--idempotency-key <key>', 'submitting twice with the same key makes one job', headerText)
    .action(submit);
  withFileOptions(job.command('estimate <file>'))
    .description('what a job would cost; inputs that are files are uploaded first')
    .action(estimate);
  withCommonOptions(job.command('status').argument('<id>', 'its number', entityNumber))
    .description('state, progress and why it waits')
    .option('--watch', 'show its progress until it ends')
    .action(async (id: string, options: CommonOptions & { watch?: true }) => {
      if (!options.watch) return await showStatus(apiOf(options), id, options);
      const signal = stopSignal();
      await showUntilEnd(apiOf(options, signal), id, options, signal);
    });
  withCommonOptions(job.command('results').argument('<id>', 'its number', entityNumber))
    .description('the merged answer of a completed job')
    .option('-o, --output <file>', OUTPUT_OPTION)
    .action(fetchResults);
  registerJobUnits(job);
  registerTransition(job, 'cancel', 'stop a job; finished work stays credited');
  registerTransition(job, 'pause', 'give out no more of its units');
  registerTransition(job, 'resume', 'go on with a paused job');
  withCommonOptions(job.command('list'))
    .description('jobs of yours and of your projects, newest first')
    .option('--limit <n>', 'rows', wholeNumber(1, 10_000), 50)
    .action(list);
  withCommonOptions(job.command('delete').argument('<id>', 'its number', entityNumber))
    .description('remove a job and its answer; one that runs is cancelled')
    .option('--yes', 'do not ask')
    .action(async (id: string, options: CommonOptions & { yes?: true }) => {
      if (!options.yes && !(await isConfirmed(`Delete job ${id} and its answer?`))) return;
      await apiOf(options).order(`/v1/jobs/${id}`, { method: 'DELETE' });
      if (options.json) printJson({ deleted: id });
      else note(`Job ${id} is deleted.`);
    });
}

async function fetchResults(id: string, options: CommonOptions & { output?: string }): Promise<void> {
  const api = apiOf(options);
  const { output, state } = await api.request(`/v1/jobs/${id}`, jobSchema);
  if (output && options.json && options.output === undefined) {
    const { blobId, sizeBytes } = output;
    if (sizeBytes === 0) await noteEmptyAnswer(api, id);
    printJson({ jobId: id, state, file: null, sizeBytes, sha256: hexOfBlobId(blobId) });
    return;
  }
  // Where there is no answer yet, the coordinator says why.
  const stored = await download(api, `/v1/jobs/${id}/output`, options.output, {
    signal: stopSignal(),
    ...(output && { sha256: hexOfBlobId(output.blobId) }),
  });
  if (stored.sizeBytes === 0) await noteEmptyAnswer(api, id);
  if (options.json) printJson({ jobId: id, state, ...stored });
}

/** Nothing on stdout could be a failure; and where an output's name is wrong, nothing else ever tells. */
async function noteEmptyAnswer(api: ApiClient, id: string): Promise<void> {
  const { spec } = await api.request(`/v1/jobs/${id}`, jobSchema);
  note(
    `The answer of job ${id} is empty: its units wrote nothing to ${quotedList(spec.outputs)}, its "outputs".`,
  );
}

function registerTransition(job: Command, action: 'cancel' | 'pause' | 'resume', description: string): void {
  withCommonOptions(job.command(action).argument('<id>', 'its number', entityNumber))
    .description(description)
    .action(async (id: string, options: CommonOptions) => {
      show(await apiOf(options).request(`/v1/jobs/${id}/${action}`, jobSchema, { method: 'POST' }), options);
    });
}

function withFileOptions(command: Command): Command {
  return withCommonOptions(command)
    .option('--project <slug>', 'project that it belongs to; default: your only one')
    .addOption(inputOption());
}

async function submit(
  file: string,
  options: FileOptions & { watch?: true; idempotencyKey?: string },
): Promise<void> {
  const signal = stopSignal();
  const api = apiOf(options, signal);
  const spec = await uploadInputs(api, file, options.input, signal);
  const project = await resolveProject(api, options.project);
  await noteWarnings(api, project, spec);
  const { idempotencyKey } = options;
  const submitted = await submitJob(api, { project, spec, idempotencyKey }, signal);
  if (options.watch) {
    note(`Job ${submitted.id} is submitted.`);
    await showUntilEnd(api, submitted.id, options, signal);
  } else if (options.json) {
    printJson(submitted);
  } else {
    print(submitted.id);
  }
}

/** What its scientist should know of a job that runs all the same, such as who can read its inputs. */
async function noteWarnings(api: ApiClient, project: string, spec: JobSpec): Promise<void> {
  try {
    for (const warning of (await requestEstimate(api, project, spec)).warnings) note(`warning: ${warning}`);
  } catch (error) {
    // The submission says it as well, unless it is the repetition of one that was accepted.
    if (!(error instanceof ApiProblemError)) throw error;
  }
}

async function requestEstimate(api: ApiClient, project: string, spec: JobSpec): Promise<JobEstimate> {
  return await api.request('/v1/jobs/estimate', jobEstimate, { method: 'POST', json: { project, spec } });
}

async function estimate(file: string, options: FileOptions): Promise<void> {
  const signal = stopSignal();
  const api = apiOf(options, signal);
  const spec = await uploadInputs(api, file, options.input, signal);
  const project = await resolveProject(api, options.project);
  const answer = await requestEstimate(api, project, spec);
  if (options.json) {
    printJson(answer);
    return;
  }
  print(
    `${answer.units} units, at least ${answer.tasksAtLeast} tasks over ${formatBytes(answer.inputBytes)} of input`,
  );
  print(`at most ${groupDigits(answer.maxCycles)} cycles`);
  if (answer.meanCyclesPerUnit !== null) {
    print(`units of this app took ${groupDigits(answer.meanCyclesPerUnit)} cycles on average`);
  }
  for (const warning of answer.warnings) note(`warning: ${warning}`);
}

async function uploadInputs(
  api: ApiClient,
  path: string,
  overrides: readonly string[],
  signal: AbortSignal,
): Promise<JobSpec> {
  const file = await readJobFile(path, overrides);
  // All of them before the first is sent, which may take hours.
  for (const [name, input] of Object.entries(file.inputs)) {
    if (input.kind === 'file') await requireReadable(name, input.path);
  }
  const blobIds: Record<string, string> = {};
  for (const [name, input] of Object.entries(file.inputs)) {
    if (input.kind === 'blob') {
      blobIds[name] = input.blobId;
      continue;
    }
    const blob = await uploadWithBar(api, input.path, basename(input.path), signal);
    blobIds[name] = blob.blobId;
  }
  return completeJob(file, blobIds);
}

async function requireReadable(name: string, path: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
    if (!(await stat(path)).isFile()) throw new TypeError(`${path} is not a file`);
  } catch (error) {
    throw new CliError(`Cannot read input "${name}": ${reasonOf(error)}`, EXIT.usage, { cause: error });
  }
}

async function showUntilEnd(
  api: ApiClient,
  id: string,
  options: CommonOptions,
  signal: AbortSignal,
): Promise<void> {
  const ended = await watchJob(api, id, signal).catch((error: unknown) => {
    if (signal.aborted) {
      note(
        `Job ${id} goes on without you. To watch it again: gleaner job status ${id} --watch; to stop it: gleaner job cancel ${id}`,
      );
    }
    throw error;
  });
  show(ended, options);
  if (ended.state !== 'completed') {
    throw new CliError(
      `Job ${id} ${ended.state}: ${ended.stateReason ?? 'no reason is known'}`,
      EXIT.jobFailed,
    );
  }
}

async function list(options: CommonOptions & { limit: number }): Promise<void> {
  const jobs = await apiOf(options).list('/v1/jobs', jobSchema, options.limit);
  if (options.json) {
    printJson(jobs);
    return;
  }
  const rows = jobs.map(({ id, name, app, state, progressPermille }) => [
    id,
    name,
    app,
    state,
    `${(progressPermille / 10).toFixed(1)} %`,
  ]);
  print(tableLines(['id', 'name', 'app', 'state', 'done'], rows).join('\n'));
}

async function showStatus(api: ApiClient, id: string, options: CommonOptions): Promise<void> {
  const job = await api.request(`/v1/jobs/${id}`, jobSchema);
  const swarm = await swarmOf(api, id);
  if (options.json) {
    printJson({ ...job, ...(swarm && { swarm }) });
    return;
  }
  show(job, options);
  for (const line of swarm ? swarmLines(swarm, job.spec) : []) print(line);
}

/** Undefined where the job has no public page. */
async function swarmOf(api: ApiClient, id: string): Promise<PublicJobView['swarm'] | undefined> {
  try {
    return (await api.request(`/v1/public/jobs/${id}`, publicJobView)).swarm;
  } catch (error) {
    if (error instanceof ApiProblemError && error.status === 404) return undefined;
    throw error;
  }
}

function show(job: Job, options: CommonOptions): void {
  if (options.json) {
    printJson(job);
    return;
  }
  const { units } = job;
  print(
    `${job.id} ${job.name} (${job.app}): ${job.state}${job.stateReason === null ? '' : `, ${job.stateReason}`}`,
  );
  print(`  ${units.valid} of ${units.total} units valid, ${units.failed} failed, ${units.open} open`);
  if (job.state === 'paused') print(`  ${waysOn(job)}`);
  else if (units.failed > 0) print(`  why units failed: gleaner job units ${job.id} --state failed`);
  if (units.blocked > 0) print(`  ${units.blocked} blocked: ${job.blockedReason ?? 'no reason is known'}`);
  if (units.awaitingOutput > 0) print(`  ${units.awaitingOutput} wait for their output to be uploaded`);
  print(`  ${job.tasks} tasks of settled units, ${groupDigits(job.validatedCycles)} validated cycles`);
  if (job.output) print(`  answer: ${formatBytes(job.output.sizeBytes)}, gleaner job results ${job.id}`);
}
