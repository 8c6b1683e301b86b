import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { AgentError, EXIT } from './exit-codes.js';

/** To which coordinator this machine belongs, and the token that lets it work there. */
const attachment = z.strictObject({
  v: z.literal(1),
  coordinator: z.url(),
  coordinatorName: z.string(),
  hostId: z.string(),
  accountId: z.string(),
  anonymous: z.boolean(),
  token: z.string(),
  /** Whether the volunteer agreed to exchange data with other volunteers. */
  p2p: z.boolean().default(false),
  attachedAt: z.iso.datetime(),
});
export type Attachment = z.infer<typeof attachment>;

/** Where the agent keeps its state when `--data` is not given. */
export function defaultDataDirectory(): string {
  const base = process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share');
  return process.env['GLEANER_AGENT_DATA'] ?? join(base, 'gleaner-agent');
}

/** The agent's directory: readable by its owner alone, because it holds the host's token. */
export class DataDirectory {
  constructor(readonly path: string) {}

  async create(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    // An existing directory may be wider open than a new one.
    await chmod(this.path, 0o700);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** @throws {AgentError} when the state cannot be understood */
  async readAttachment(): Promise<Attachment | undefined> {
    const path = this.file('attachment.json');
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw new AgentError(`cannot read ${path}: ${String(error)}`, EXIT.failure, { cause: error });
    }
    try {
      return attachment.parse(JSON.parse(text));
    } catch (error) {
      throw new AgentError(
        `${path} is damaged: attach again with "gleaner agent attach URL"; finished work in ${this.path} is kept`,
        EXIT.notAttached,
        { cause: error },
      );
    }
  }

  async writeAttachment(value: Attachment): Promise<void> {
    await this.writeWhole('attachment.json', JSON.stringify(value, null, 2));
  }

  /** Forgets the coordinator, its tasks and their results; the cache of inputs stays useful to another one. */
  async forgetAttachment(): Promise<void> {
    for (const name of ['attachment.json', 'status.json', 'tasks', 'results', 'outputs', 'snapshots']) {
      await rm(this.file(name), { recursive: true, force: true });
    }
  }

  /** Replaces a file of the directory, readable by its owner alone; readers see the old content or the new one. */
  async writeWhole(name: string, text: string): Promise<void> {
    const path = this.file(name);
    const temporary = `${path}.${process.pid}.tmp`;
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  }
}
