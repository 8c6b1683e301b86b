import { LineProcess } from './line-process.js';
import { PolledProbe } from './polled-probe.js';
import type { Probe } from './probe.js';
import type { RunCommand } from './run-command.js';
import {
  logindInputAgeMs,
  mutterInputAgeMs,
  parseIoreg,
  parseWindowsIdle,
  WINDOWS_IDLE_SCRIPT,
} from './session-input.js';
import { X11Input } from './x11/x11-input.js';
import { currentSystem } from './system.js';

/** Asking the X server costs a few microseconds; starting a program some milliseconds. */
const X11_EVERY_MS = 1_000;
const COMMAND_EVERY_MS = 4_000;
const TIMEOUT_MS = 3_000;

/** Milliseconds since the last input, by whatever this system offers. */
export function inputProbe(run: RunCommand): Probe<number> {
  switch (currentSystem()) {
    case 'windows':
      return new LineProcess({
        program: 'powershell.exe',
        args: ['-NoProfile', '-NonInteractive', '-Command', WINDOWS_IDLE_SCRIPT],
        parse: parseWindowsIdle,
      });
    case 'macos':
      return new PolledProbe({
        poll: async (signal) => parseIoreg(await run('ioreg', ['-c', 'IOHIDSystem', '-d', '4'], signal)),
        everyMs: COMMAND_EVERY_MS,
        timeoutMs: TIMEOUT_MS,
      });
    case 'linux':
      return new LinuxInput(run);
  }
}

/** A GNOME compositor and X servers where they answer; logind's coarser hint only where neither does. */
class LinuxInput implements Probe<number> {
  readonly #x11 = new X11Input();
  readonly #display: PolledProbe<number>;
  readonly #compositor: PolledProbe<number>;
  readonly #seat: PolledProbe<number>;

  constructor(run: RunCommand) {
    const timeoutMs = TIMEOUT_MS;
    this.#display = new PolledProbe({
      poll: (signal) => this.#x11.inputAgeMs(signal),
      everyMs: X11_EVERY_MS,
      timeoutMs,
    });
    this.#compositor = withPatience((signal) => mutterInputAgeMs(run, signal));
    this.#seat = withPatience((signal) => logindInputAgeMs(run, signal));
  }

  async ready(): Promise<void> {
    await Promise.all([this.#display.ready(), this.#compositor.ready(), this.#seat.ready()]);
  }

  read(): number | null {
    const told = [this.#display.read(), this.#compositor.read()].filter((age) => age !== null);
    return told.length > 0 ? Math.min(...told) : this.#seat.read();
  }

  close(): void {
    for (const probe of [this.#display, this.#compositor, this.#seat]) probe.close();
    this.#x11.close();
  }
}

/** What does not answer is asked again after a minute only, in case a desktop is started later. */
function withPatience(ask: (signal: AbortSignal) => Promise<number | null>): PolledProbe<number> {
  const silentPolls = Math.round(60_000 / COMMAND_EVERY_MS);
  let skip = 0;
  return new PolledProbe({
    poll: async (signal) => {
      if (skip > 0) {
        skip -= 1;
        return null;
      }
      const age = await ask(signal).catch(() => null);
      if (age === null) skip = silentPolls;
      return age;
    },
    everyMs: COMMAND_EVERY_MS,
    timeoutMs: TIMEOUT_MS,
  });
}
