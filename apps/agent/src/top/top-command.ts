import { setTimeout as delay } from 'node:timers/promises';
import { requireAttachments } from '../attachments.js';
import type { DataDirectory } from '../data-directory.js';
import { readStatus } from '../status-file.js';
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
    const status = await readStatus(directory);
    const tallies = await readTallies(directory, now);
    if (json) {
      process.stdout.write(`${JSON.stringify({ status: status ?? null, tallies })}\n`);
      return;
    }
    const lines = status
      ? renderTop(status, tallies, now, process.stdout.columns || DEFAULT_COLUMNS)
      : ['the agent has not run yet: start it with "gleaner agent run"'];
    process.stdout.write(`${isLive ? CLEAR : ''}${lines.join('\n')}\n`);
    if (isLive) await delay(EVERY_MS);
  } while (isLive);
}
