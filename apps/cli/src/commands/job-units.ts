import { unitResult, type UnitResult, unitState } from '@gleaner/protocol';
import { Option, type Command } from 'commander';
import {
  apiOf,
  entityNumber,
  withCommonOptions,
  wholeNumber,
  type CommonOptions,
} from '../common-options.js';
import { limitAdvice } from '../local-run/unit-check.js';
import { groupDigits, note, print, tableLines, writeBytes } from '../terminal/output.js';

export function registerJobUnits(job: Command): void {
  withCommonOptions(job.command('units').argument('<id>', 'its number', entityNumber))
    .description('how each unit came out or why it waits; outcomes and cycles once the job has ended')
    .addOption(new Option('--state <state>', 'only units in this state').choices(unitState.options))
    .option('--limit <n>', 'rows', wholeNumber(1, 1_000_000), 1000)
    .action(listUnits);
}

async function listUnits(
  id: string,
  { limit, state, ...options }: CommonOptions & { limit: number; state?: string },
): Promise<void> {
  const query = state === undefined ? {} : { state };
  // One more than is shown: it tells whether there are more.
  const pages = apiOf(options).pages(`/v1/jobs/${id}/results`, unitResult, limit + 1, query);
  const rows: string[][] = [];
  const found = options.json ? await printUnits(pages, limit) : await keepRows(pages, rows);
  if (found > limit) {
    const failed = state === undefined ? ', --state failed those that failed' : '';
    note(`These are the first ${limit}, and there are more: --limit shows them${failed}`);
  }
  if (options.json) return;
  print(tableLines(['unit', 'state', 'outcome', 'cycles', 'remark'], rows.slice(0, limit)).join('\n'));
}

/** As they come: all units of a large job are more text than one string holds. */
async function printUnits(pages: AsyncIterable<readonly UnitResult[]>, limit: number): Promise<number> {
  let found = 0;
  for await (const page of pages) {
    const units = page.slice(0, limit - found).map((unit) => JSON.stringify(unit));
    if (units.length > 0) await writeBytes(`${found === 0 ? '[' : ','}${units.join(',')}`);
    found += page.length;
  }
  await writeBytes(found === 0 ? '[]\n' : ']\n');
  return found;
}

async function keepRows(pages: AsyncIterable<readonly UnitResult[]>, rows: string[][]): Promise<number> {
  for await (const page of pages) rows.push(...page.map(rowOf));
  return rows.length;
}

function rowOf(unit: UnitResult): string[] {
  return [
    `${unit.index}`,
    unit.state,
    [unit.outcome, unit.exitCode, unit.trapKind].filter((part) => part !== null).join(' '),
    unit.cycles === null ? '' : groupDigits(unit.cycles),
    remarkOn(unit),
  ];
}

/** What a unit waits for, or why it failed, with the last thing that its app said. */
function remarkOn({ blocked, failure, outcome, stderr }: UnitResult): string {
  if (blocked !== null) return blocked;
  const advice = failure === null ? null : limitAdvice(outcome);
  const reason = advice === null ? failure : `${failure}: ${advice}`;
  const lastWords = stderr?.trim().split('\n').at(-1) ?? '';
  return [reason ?? '', lastWords].filter((part) => part !== '').join('; ');
}
