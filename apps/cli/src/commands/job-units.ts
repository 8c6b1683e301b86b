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
import { groupDigits, note, print, printJson, tableLines } from '../terminal/output.js';

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
  const found = await apiOf(options).list(`/v1/jobs/${id}/results`, unitResult, limit + 1, query);
  const units = found.slice(0, limit);
  if (found.length > limit) {
    const failed = state === undefined ? ', --state failed those that failed' : '';
    note(`These are the first ${limit}, and there are more: --limit shows them${failed}`);
  }
  if (options.json) {
    printJson(units);
    return;
  }
  const rows = units.map((unit) => [
    `${unit.index}`,
    unit.state,
    [unit.outcome, unit.exitCode, unit.trapKind].filter((part) => part !== null).join(' '),
    unit.cycles === null ? '' : groupDigits(unit.cycles),
    remarkOn(unit),
  ]);
  print(tableLines(['unit', 'state', 'outcome', 'cycles', 'remark'], rows).join('\n'));
}

/** What a unit waits for, or why it failed, with the last thing that its app said. */
function remarkOn({ blocked, failure, outcome, stderr }: UnitResult): string {
  if (blocked !== null) return blocked;
  const advice = failure === null ? null : limitAdvice(outcome);
  const reason = advice === null ? failure : `${failure}: ${advice}`;
  const lastWords = stderr?.trim().split('\n').at(-1) ?? '';
  return [reason ?? '', lastWords].filter((part) => part !== '').join('; ');
}
