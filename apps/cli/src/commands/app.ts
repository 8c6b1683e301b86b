import { readFile } from 'node:fs/promises';
import { appVersion } from '@gleaner/protocol';
import { admitModule, type AdmissionReport } from '@gleaner/sandbox/admission';
import type { Command } from 'commander';
import { resolveProject } from '../api/resolve-project.js';
import { CliError, EXIT, reasonOf } from '../cli-error.js';
import {
  apiOf,
  splitAppVersion,
  wholeNumber,
  withCommonOptions,
  withLocalOptions,
  type CommonOptions,
} from '../common-options.js';
import { moduleRefused } from '../module-refused.js';
import { note, print, printJson, tableLines } from '../terminal/output.js';

const PAGES_PER_MIB = 16;

interface PublishOptions extends CommonOptions {
  readonly name: string;
  readonly appVersion: string;
  readonly project?: string;
}

export function registerApp(program: Command): void {
  const app = program.command('app').description('apps: check, publish, approve, list');
  withCommonOptions(app.command('publish <file>'))
    .description('upload a WebAssembly module as a version of an app')
    .requiredOption('--name <name>', 'name of the app')
    // `--version` is the stable name; commander would otherwise keep it for the program's own version.
    .requiredOption('--version <version>', 'version of the app')
    .option('--project <slug>', 'project that owns it; default: your only one')
    .action(
      async (file: string, options: CommonOptions & { name: string; version: string; project?: string }) => {
        await publish(file, { ...options, appVersion: options.version });
      },
    );
  withCommonOptions(app.command('approve <name@version>'))
    .description('let a version run on all volunteers and earn credit (operators)')
    .action(async (ref: string, options: CommonOptions) => {
      const { name, version } = splitAppVersion(ref);
      const approved = await apiOf(options).request(
        `/v1/apps/${name}/versions/${version}/approval`,
        appVersion,
        { method: 'POST' },
      );
      if (options.json) printJson(approved);
      else note(`${ref} is approved.`);
    });
  withCommonOptions(app.command('list'))
    .description('versions of all apps, newest first, and whether they are approved')
    .option('--limit <n>', 'rows', wholeNumber(1, 10_000), 50)
    .action(async (options: CommonOptions & { limit: number }) => {
      const versions = await apiOf(options).list('/v1/apps', appVersion, options.limit);
      if (options.json) {
        printJson(versions);
        return;
      }
      const rows = versions.map(({ app: name, version, project, approved, createdAt }) => [
        `${name}@${version}`,
        project,
        approved ? 'approved' : 'waits',
        createdAt,
      ]);
      print(tableLines(['app', 'project', 'state', 'published'], rows).join('\n'));
    });
  withLocalOptions(app.command('check <file>'))
    .description('what admission says about a module, without a coordinator')
    .action(async (file: string, options: CommonOptions) => {
      await check(file, options.json ?? false);
    });
}

async function publish(file: string, options: PublishOptions): Promise<void> {
  const api = apiOf(options);
  const bytes = await readModule(file);
  const project = await resolveProject(api, options.project);
  const published = await api.request('/v1/apps', appVersion, {
    method: 'POST',
    query: { project, name: options.name, version: options.appVersion },
    body: { contentType: 'application/wasm', bytes },
  });
  if (options.json) {
    printJson(published);
    return;
  }
  print(`${published.app}@${published.version}`);
  printReport(published.report);
  if (!published.approved) note('It runs only on your own hosts until an operator approves it.');
}

async function check(file: string, json: boolean): Promise<void> {
  const admission = admitModule(await readModule(file));
  if (json) printJson(admission.admitted ? { admitted: true, report: admission.report } : admission);
  if (!admission.admitted) throw moduleRefused(file, admission.errors);
  if (!json) {
    print(`${file} is admitted.`);
    printReport(admission.report);
  }
}

/** A local report tells the memory, too. */
function printReport({
  memoryPages,
  ...report
}: Omit<AdmissionReport, 'memoryPages'> & Partial<Pick<AdmissionReport, 'memoryPages'>>): void {
  const { staticStackBytes } = report;
  note(
    `  ${report.originalBytes} bytes, rewritten ${report.rewrittenBytes} bytes (${report.runtimeVersion})`,
  );
  note(`  ${report.functions} functions, ${report.stepping ? 'stepping' : 'a command'}`);
  note(`  stack: ${staticStackBytes === null ? 'recursive, metered' : `at most ${staticStackBytes} bytes`}`);
  if (memoryPages !== undefined) note(`  memory: ${memoryText(memoryPages)}`);
  note(`  imports: ${report.imports.join(', ') || 'none'}`);
  if (report.features.length > 0) note(`  features: ${report.features.join(', ')}`);
  for (const warning of report.warnings) note(`  warning: ${warning}`);
}

function memoryText({ initial, maximum }: AdmissionReport['memoryPages']): string {
  const mebibytes = (pages: number) => `${pages / PAGES_PER_MIB} MiB`;
  const most = maximum === null ? 'grows up to the limit of its job' : `at most ${mebibytes(maximum)}`;
  return `${mebibytes(initial)} at the start, ${most}`;
}

async function readModule(file: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (error) {
    throw new CliError(`Cannot read ${file}: ${reasonOf(error)}`, EXIT.usage, { cause: error });
  }
}
