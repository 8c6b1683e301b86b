import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { wholeNumber, withLocalOptions } from '../common-options.js';
import { CoordinatorProcess } from '../processes/coordinator-process.js';
import { requireFreePort } from '../processes/require-free-port.js';
import { aborted, stopSignal } from '../processes/stop-signal.js';
import { note, print, printJson } from '../terminal/output.js';

/** Where a coordinator listens that is told nothing else. */
const ALL_ADDRESSES = '0.0.0.0';
const DEFAULT_PORT = 8400;

interface UpOptions {
  readonly port?: number;
  readonly host?: string;
  readonly data?: string;
  readonly originRate?: number;
  readonly open?: true;
  readonly json?: true;
}

export function registerUp(program: Command): void {
  withLocalOptions(program.command('up'), 'one line of JSON on stdout when it serves')
    .description('start a coordinator with everything embedded; Ctrl-C stops it')
    .option(
      '--port <port>',
      `port to listen on; 0 takes a free one; default: GLEANER_PORT, or ${DEFAULT_PORT}`,
      wholeNumber(0, 65_535),
    )
    .option('--host <address>', 'address to listen on; default: GLEANER_HOST, or all')
    .option(
      '--data <dir>',
      'where database and files live; default: GLEANER_DATA, or ~/.local/share/gleaner (for root /var/lib/gleaner)',
    )
    .option(
      '--origin-rate <bytes>',
      'bytes a second that all downloads together may take; default: GLEANER_ORIGIN_RATE_BYTES, or no cap',
      wholeNumber(16 * 1024, 1e12),
    )
    .option('--open', 'open it in the browser')
    .action(up);
}

async function up(options: UpOptions): Promise<void> {
  const { GLEANER_PORT: port = DEFAULT_PORT, GLEANER_HOST: host } = process.env;
  await requireFreePort(options.port ?? Number(port), options.host ?? (host || ALL_ADDRESSES));
  const signal = stopSignal();
  const coordinator = await CoordinatorProcess.start({
    env: {
      ...(options.port !== undefined && { GLEANER_PORT: String(options.port) }),
      ...(options.host !== undefined && { GLEANER_HOST: options.host }),
      ...(options.data !== undefined && { GLEANER_DATA: options.data }),
      ...(options.originRate !== undefined && { GLEANER_ORIGIN_RATE_BYTES: String(options.originRate) }),
      GLEANER_LOG_LEVEL: process.env['GLEANER_LOG_LEVEL'] ?? 'warn',
    },
    onLog: note,
    signal,
  });
  try {
    const { url, dataDir, operatorToken } = coordinator;
    if (options.json) {
      printJson({ url, dataDir, operatorToken });
    } else {
      print(`Gleaner is ready at ${url}`);
      note(`Data is in ${dataDir}. Ctrl-C stops it.`);
      if (operatorToken !== null) {
        note('Your operator token, shown only this once:');
        print(operatorToken);
      }
    }
    if (options.open) openInBrowser(url);
    await Promise.race([aborted(signal), coordinator.failed()]);
  } finally {
    await coordinator.stop();
  }
}

function openInBrowser(url: string): void {
  const command = { darwin: 'open', win32: 'explorer' }[process.platform as string] ?? 'xdg-open';
  const child = spawn(command, [url], { stdio: 'ignore', detached: true });
  child.on('error', () => {
    note(`No browser could be opened: go to ${url}`);
  });
  child.unref();
}
