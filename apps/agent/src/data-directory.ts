import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { writeWhole } from '@gleaner/worker-sdk/write-whole';
import { homeDirectory } from './home-directory.js';
import { isAlive } from './is-alive.js';

/** What a process is just writing: the file's name, and its own id. */
const BEING_WRITTEN = /\.(\d+)\.tmp$/;

/** In a project's directory, the file that says whose it is. */
export const OWNER_NAME = 'owner.json';
/** Everything that a project keeps and that means nothing to another one; its inputs may still be of use. */
const PROJECT_STATE = [OWNER_NAME, 'wishes.json', 'tasks', 'results', 'outputs', 'snapshots', 'swarm'];

/** Where the agent keeps its state when `--data` is not given; null where the user has no home. */
export function defaultDataDirectory(): string | null {
  return process.env['GLEANER_AGENT_DATA'] || usualDataDirectory();
}

/** Where it does when nothing at all is said, by the XDG Base Directory Specification: what is empty or relative is none. */
export function usualDataDirectory(): string | null {
  const told = process.env['XDG_DATA_HOME'] ?? '';
  if (isAbsolute(told)) return join(told, 'gleaner-agent');
  const home = homeDirectory();
  return home === null ? null : join(home, '.local', 'share', 'gleaner-agent');
}

/** The agent's directory: readable by its owner alone, because it holds the hosts' tokens. */
export class DataDirectory {
  constructor(readonly path: string) {}

  async create(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    // An existing directory may be wider open than a new one.
    await chmod(this.path, 0o700);
  }

  /** Removes what agents and commands were writing when they were killed. */
  async removeHalfWritten(): Promise<void> {
    for (const name of await readdir(this.path)) {
      const pid = BEING_WRITTEN.exec(name)?.[1];
      if (pid !== undefined && !isAlive(Number(pid))) await rm(this.file(name), { force: true });
    }
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** The part of it that belongs to one project. */
  of({ directory }: { readonly directory: string }): DataDirectory {
    return new DataDirectory(join(this.path, directory));
  }

  /** Forgets a project's tasks and results; where it had a directory of its own, its inputs as well. */
  async forgetProject({ directory }: { readonly directory: string }): Promise<void> {
    if (directory === '.') {
      for (const name of PROJECT_STATE) await rm(this.file(name), { recursive: true, force: true });
    } else {
      await rm(this.file(directory), { recursive: true, force: true });
    }
  }

  /** Replaces a file of the directory, readable by its owner alone; readers see the old content or the new one. */
  async writeWhole(name: string, text: string): Promise<void> {
    const path = this.file(name);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // Of this process alone: the agent and a command may write one file at once.
    await writeWhole(path, text, { isSynced: true, temporary: `${path}.${process.pid}.tmp` });
  }
}
