import type { AgentStatus, ProjectStatus } from '../status-file.js';
import { swarmLine } from '../swarm/swarm-line.js';
import type { Tallies } from './tallies.js';

const BAR_CELLS = 24;
const NAME_CELLS = 34;

/** What `agent top` shows of a running agent, a line each, at most `columns` wide. */
export function renderTop(status: AgentStatus, tallies: Tallies, now: Date, columns: number): string[] {
  const { allowance } = status;
  const share = allowance.dutyCycle < 1 ? ` for ${Math.round(allowance.dutyCycle * 100)} % of the time` : '';
  const cores =
    allowance.cores === 0 ? 'no core' : `${status.running.length} of ${allowance.cores} cores busy`;
  const lines = [
    `gleaner agent   ${status.phase}   ${cores}${share}`,
    ...(status.projects.length > 1
      ? status.projects.map((one) => projectLine(one, status))
      : [status.reason]),
    ...(status.projects.length > 1 || status.reason === allowance.reason ? [] : [allowance.reason]),
    '',
    ...status.running.map((task) => taskLine(task, now)),
    ...(status.running.length > 0 ? [''] : []),
    `${status.buffered} waiting   ${status.unreported} to report   ${tallies.tasks} finished in all`,
    `cycles: ${formatCycles(tallies.cyclesOfDay)} today   ${formatCycles(tallies.cycles)} in all`,
    ...(status.swarm ? [swarmLine(status.swarm)] : []),
  ];
  return lines.map((line) => line.slice(0, columns));
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
  return `${name.slice(0, NAME_CELLS).padEnd(NAME_CELLS)} ${`${share} %`.padStart(5)}  ${cores.padEnd(8)} ${reason}`;
}

function taskLine({ jobName, app, permille, startedAt }: AgentStatus['running'][number], now: Date): string {
  const name = `${app} ${jobName}`.slice(0, NAME_CELLS).padEnd(NAME_CELLS);
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
