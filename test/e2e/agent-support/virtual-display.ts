import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { skipLoudly } from '../../support/skip-loudly.js';

/** Whether this machine has what a virtual display needs; says so, loudly, where it has not. */
export function hasVirtualDisplay(): boolean {
  const missing = ['Xvfb', 'xdotool'].filter((program) => spawnSync('which', [program]).status !== 0);
  if (missing.length === 0) return true;
  const advice = `no ${missing.join(' and no ')}; install them (Debian: apt-get install xvfb xdotool).`;
  skipLoudly('the tests of keyboard and mouse', advice);
  return false;
}

/** A real X server without a screen. */
export class VirtualDisplay implements AsyncDisposable {
  private constructor(
    private readonly server: ChildProcess,
    /** For the environment variable DISPLAY. */
    readonly name: string,
  ) {}

  static async start(): Promise<VirtualDisplay> {
    // The server chooses a free number and tells it on the descriptor.
    const server = spawn('Xvfb', ['-displayfd', '3', '-nolisten', 'tcp'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    const [number] = (await once(server.stdio[3] as NodeJS.ReadableStream, 'data')) as [Buffer];
    return new VirtualDisplay(server, `:${number.toString().trim()}`);
  }

  /** Somebody presses a key. */
  async pressKey(): Promise<void> {
    await promisify(execFile)('xdotool', ['key', 'a'], { env: { ...process.env, DISPLAY: this.name } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.server, 'exit');
    this.server.kill();
    await ended;
  }
}
