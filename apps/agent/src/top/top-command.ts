import { setTimeout as delay } from 'node:timers/promises';
import { harmless } from '@gleaner/protocol';
import { requireAttachments } from '../attachments.js';
import type { DataDirectory } from '../data-directory.js';
import { NOT_RUNNING, seeAgent } from '../seen-agent.js';
import type { AgentStatus } from '../status-file.js';
import { renderTop } from './render-top.js';
import { readTallies } from './tallies.js';

const EVERY_MS = 1_000;
const CLEAR = '\u001B[H\u001B[2J';
const DEFAULT_COLUMNS = 100;

/** Shows what the agent does, anew every second at a terminal until Ctrl-C, once elsewhere. */
export async function top({ directory, json }: { directory: DataDirectory; json: boolean }): Promise<void> {
  await requireAttachments(directory);
  const isLive = process.stdout.isTTY && !json;
  do {
    const now = new Date();
    const { isRunning, now: said, last } = await seeAgent(directory);
    const status = said ?? (last && atRest(last, isRunning));
    const tallies = await readTallies(directory, now);
    if (json) {
      process.stdout.write(`${JSON.stringify({ status: status ?? null, tallies })}\n`);
      return;
    }
    const { columns, rows } = process.stdout;
    // The cursor has a line of its own.
    const space = { columns: columns || DEFAULT_COLUMNS, rows: isLive && rows > 0 ? rows - 1 : Infinity };
    const lines = status
      ? renderTop(status, tallies, now, space)
      : ['the agent has not run yet: start it with "gleaner agent run"'];
    process.stdout.write(`${isLive ? CLEAR : ''}${harmless(lines.join('\n'))}\n`);
    if (isLive) await delay(EVERY_MS);
  } while (isLive);
}

/** What an agent that has ended has left, however it ended: it computes nothing. */
function atRest(last: AgentStatus, isRunning: boolean): AgentStatus {
  const reason = isRunning ? 'starting' : NOT_RUNNING;
  const phase = isRunning ? 'starting' : 'stopped';
  return {
    ...last,
    phase,
    reason,
    running: [],
    projects: [],
    warnings: [],
    allowance: { cores: 0, dutyCycle: 1, reason },
  };
}
