import { cutToCells, inCells } from '@gleaner/protocol';
import type { AgentStatus, ProjectStatus } from '../status-file.js';
import { swarmLine } from '../swarm/swarm-line.js';
import type { Tallies } from './tallies.js';

const BAR_CELLS = 24;
const NAME_CELLS = 34;

/** What of the terminal may be written to. */
export interface Space {
  readonly columns: number;
  /** Lines; Infinity where nothing has to stay in sight. */
  readonly rows: number;
}

/** What `agent top` shows of a running agent, a line each, within the space; tasks that find none are counted. */
export function renderTop(status: AgentStatus, tallies: Tallies, now: Date, space: Space): string[] {
  const { allowance } = status;
  const share = allowance.dutyCycle < 1 ? ` for ${Math.round(allowance.dutyCycle * 100)} % of the time` : '';
  const cores =
    allowance.cores === 0 ? 'no core' : `${status.running.length} of ${allowance.cores} cores busy`;
  const above = [
    `gleaner agent   ${status.phase}   ${cores}${share}`,
    ...(status.projects.length > 1
      ? status.projects.map((one) => projectLine(one, status))
      : [status.reason]),
    ...(status.projects.length > 1 || status.reason === allowance.reason ? [] : [allowance.reason]),
    ...status.warnings.map((warning) => `warning: ${warning}`),
    '',
  ];
  const below = [
    ...(status.running.length > 0 ? [''] : []),
    `${status.buffered} waiting   ${status.unreported} to report   ${tallies.tasks} finished in all`,
    `cycles: ${formatCycles(tallies.cyclesOfDay)} today   ${formatCycles(tallies.cycles)} in all`,
    ...(status.swarm ? [swarmLine(status.swarm)] : []),
  ];
  const tasks = taskLines(status.running, now, space.rows - above.length - below.length);
  return [...above, ...tasks, ...below].map((line) => cutToCells(line, space.columns));
}

function taskLines(running: AgentStatus['running'], now: Date, rows: number): string[] {
  if (running.length <= rows) return running.map((task) => taskLine(task, now));
  // How many compute is in the first line.
  if (rows < 1) return [];
  const shown = running.slice(0, rows - 1);
  return [...shown.map((task) => taskLine(task, now)), `… and ${running.length - shown.length} more`];
}

/** `12.3 G`: three digits and a prefix, rounded down. */
export function formatCycles(decimal: string): string {
  const prefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
  const power = Math.min(prefixes.length - 1, Math.floor((decimal.length - 1) / 3));
  if (power === 0) return decimal;
  const whole = decimal.slice(0, decimal.length - 3 * power);
  const rest = decimal.slice(whole.length, whole.length + Math.max(0, 3 - whole.length));
  return `${whole}${rest === '' ? '' : `.${rest}`} ${prefixes[power] ?? ''}`;
}

/** `Gleaner  75 %  1 core   working on …`. */
function projectLine({ name, weight, allowance, reason }: ProjectStatus, { projects }: AgentStatus): string {
  const share = Math.round((100 * weight) / projects.reduce((sum, one) => sum + one.weight, 0));
  const cores = `${allowance.cores} ${allowance.cores === 1 ? 'core' : 'cores'}`;
  return `${inCells(name, NAME_CELLS)} ${`${share} %`.padStart(5)}  ${cores.padEnd(8)} ${reason}`;
}

function taskLine({ jobName, app, permille, startedAt }: AgentStatus['running'][number], now: Date): string {
  const name = inCells(`${app} ${jobName}`, NAME_CELLS);
  const minutes = Math.floor(Math.max(0, now.getTime() - Date.parse(startedAt)) / 60_000);
  const age = minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${name} ${bar(permille)} ${age.padStart(9)}`;
}

/** An app that tells nothing of its progress has an empty bar without a number. */
function bar(permille: number | null): string {
  const filled = Math.round(((permille ?? 0) / 1000) * BAR_CELLS);
  const percent = permille === null ? '   ?' : `${Math.floor(permille / 10)} %`;
  return `[${'#'.repeat(filled).padEnd(BAR_CELLS, '.')}] ${percent.padStart(5)}`;
}
