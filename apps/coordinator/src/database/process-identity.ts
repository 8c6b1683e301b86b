import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Of /proc/PID/stat, counted behind the program's name, which may contain anything: when the process started, in ticks. */
const START_TICKS_FIELD = 19;

/** Whether a process with this id lives. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, as somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Tells a process from a later one with the same id; null where no such process lives or the system does not say. */
export async function startOf(pid: number): Promise<string | null> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    const ticks = text.slice(text.lastIndexOf(')') + 2).split(' ')[START_TICKS_FIELD];
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return `${boot.trim()} ${ticks ?? ''}`;
  } catch {
    return await askPs(pid);
  }
}

/** Where a process works, without symbolic links; null where no such process lives, or the system does not tell us. */
export async function workingDirectoryOf(pid: number): Promise<string | null> {
  try {
    return await realpath(`/proc/${pid}/cwd`);
  } catch {
    return await askLsof(pid);
  }
}

/** Systems without /proc. */
async function askLsof(pid: number): Promise<string | null> {
  try {
    const { stdout } = await execute('lsof', ['-a', '-d', 'cwd', '-p', String(pid), '-F', 'n']);
    return /^n(.+)$/m.exec(stdout)?.[1] ?? null;
  } catch {
    return null;
  }
}

async function askPs(pid: number): Promise<string | null> {
  try {
    const { stdout } = await execute('ps', ['-o', 'lstart=', '-p', String(pid)], {
      env: { LC_ALL: 'C', TZ: 'UTC' },
    });
    return stdout.trim() || null;
  } catch {
    return null;
  }
}
