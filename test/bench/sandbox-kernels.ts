import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Name of a source in `kernels/`, and the scale at which it runs for about a tenth of a second. */
export const KERNELS = [
  { name: 'fft', scale: 400 },
  { name: 'sha256', scale: 500 },
  { name: 'sieve', scale: 20 },
  { name: 'vm', scale: 40 },
  { name: 'nbody', scale: 1500 },
  { name: 'qsort', scale: 8 },
  { name: 'fib', scale: 35 },
] as const;

export type Kernel = (typeof KERNELS)[number];

/** Compiled JavaScript lies in test/dist/bench; sources and committed modules in test/bench. */
const directory = join(import.meta.dirname.replace(/([/\\])dist([/\\])/, '$1'), 'kernels');

export function readKernel(name: string): Promise<Uint8Array> {
  return readFile(join(directory, `${name}.wasm`));
}

export interface NativeRun {
  readonly checksum: number;
  readonly ms: number;
}

/** A kernel built by `gcc -O2`; null where there is no gcc. */
export class NativeKernel {
  private constructor(
    private readonly program: string,
    private readonly scale: number,
  ) {}

  static async build({ name, scale }: Kernel, buildDirectory: string): Promise<NativeKernel | null> {
    const program = join(buildDirectory, name);
    try {
      await promisify(execFile)('gcc', [
        '-O2',
        '-fno-math-errno',
        '-o',
        program,
        join(directory, `${name}.c`),
      ]);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
    return new NativeKernel(program, scale);
  }

  async run(): Promise<NativeRun> {
    const { stdout } = await promisify(execFile)(this.program, [String(this.scale)]);
    const [checksum = '', ms = ''] = stdout.trim().split(' ');
    return { checksum: Number(checksum), ms: Number(ms) };
  }
}

/** Runs `use` with a temporary directory that is removed afterwards. */
export async function withBuildDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const buildDirectory = await mkdtemp(join(tmpdir(), 'gleaner-bench-'));
  try {
    return await use(buildDirectory);
  } finally {
    await rm(buildDirectory, { recursive: true, force: true });
  }
}
