import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { skipLoudly } from '../../support/skip-loudly.js';

/** A small disk has to be mounted: in a namespace of its own, in which whoever is not root may do that as well. */
const UNSHARE = process.getuid?.() === 0 ? ['--mount'] : ['--mount', '--map-root-user'];
const ENTER = process.getuid?.() === 0 ? ['--mount'] : ['--mount', '--user', '--preserve-credentials'];
const FILLER_BYTES = 64 * 1024 * 1024;

/** Whether a disk can be made small here. */
export function maySmallenDisk(): boolean {
  if (process.platform === 'linux' && spawnSync('unshare', [...UNSHARE, 'true']).status === 0) return true;
  skipLoudly(
    'the test of a full disk',
    'it needs namespaces of Linux, to mount a small disk in one: root, or users who may unshare.',
  );
  return false;
}

/** A file system of its own, so small that it can be filled. Only programs that are started by {@link command} see it. */
export class SmallDisk implements AsyncDisposable {
  private constructor(
    private readonly keeper: ChildProcess,
    private readonly mountPoint: string,
  ) {}

  static async mount(mountPoint: string, mebibytes: number): Promise<SmallDisk> {
    await mkdir(mountPoint, { recursive: true });
    const script = `mount -t tmpfs -o size=${mebibytes}m tmpfs ${mountPoint} && echo mounted && exec cat`;
    // The disk is there for as long as the keeper is, which ends with this process at the latest.
    const keeper = spawn('unshare', [...UNSHARE, 'sh', '-c', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const mounted = await Promise.race([
      once(keeper.stdout, 'data').then(() => true),
      once(keeper, 'exit').then(() => false),
    ]);
    if (!mounted) throw new Error(`no small disk could be mounted on ${mountPoint}`);
    return new SmallDisk(keeper, mountPoint);
  }

  /** Where it is for programs that see it. */
  get path(): string {
    return this.mountPoint;
  }

  /** Where the same is for everybody else. */
  get outsidePath(): string {
    return `/proc/${this.keeper.pid ?? 0}/root${this.mountPoint}`;
  }

  /** Starts a program that sees it. */
  command(program: readonly string[]): string[] {
    return ['nsenter', '--target', String(this.keeper.pid ?? 0), ...ENTER, ...program];
  }

  /** Leaves no byte free. */
  async fill(): Promise<void> {
    await writeFile(join(this.outsidePath, 'filler'), Buffer.alloc(FILLER_BYTES)).catch(() => undefined);
  }

  async empty(): Promise<void> {
    await rm(join(this.outsidePath, 'filler'), { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.keeper, 'exit');
    this.keeper.kill('SIGKILL');
    await ended;
    await rm(this.mountPoint, { recursive: true, force: true });
  }
}
