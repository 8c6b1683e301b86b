import { open, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { CliError, EXIT, isSystemError, reasonOf } from './cli-error.js';

/** The file that an answer goes to. It appears under its name when it is whole; a pipe or a device gets it as it comes. */
export class AnswerFile implements AsyncDisposable {
  #isFinished = false;

  private constructor(
    private readonly path: string,
    /** Where it is written until it is whole; null: where it belongs. */
    private readonly temporary: string | null,
    private readonly file: FileHandle,
  ) {}

  /** @throws {CliError} when nothing can be written there */
  static async create(path: string): Promise<AnswerFile> {
    const found = await stat(path).catch(() => null);
    if (found?.isDirectory() === true || path === '') {
      const what = path === '' ? 'an answer to a file without a name' : `${path}: it is a directory`;
      throw new CliError(`Cannot write ${what}`, EXIT.usage);
    }
    try {
      // A rename would put a file in the place of the device, the pipe or the link.
      if (found?.isFile() === false) return new AnswerFile(path, null, await open(path, 'w'));
      const target = found ? await realpath(path) : path;
      const temporary = `${target}.part`;
      return new AnswerFile(target, temporary, await open(temporary, 'w'));
    } catch (error) {
      throw new CliError(`Cannot write ${path}: ${reasonOf(error)}`, EXIT.usage, { cause: error });
    }
  }

  /** @throws {CliError} as when the disk is full */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.file.writeFile(bytes);
    } catch (error) {
      throw this.#unwritable(error);
    }
  }

  /** @throws {CliError} as when what was written does not fit after all */
  async finish(): Promise<void> {
    try {
      await this.file.close();
      if (this.temporary !== null) await rename(this.temporary, this.path);
    } catch (error) {
      throw this.#unwritable(error);
    }
    this.#isFinished = true;
  }

  #unwritable(error: unknown): unknown {
    // Whoever reads a pipe may have seen enough.
    if (isSystemError(error) && error.code === 'EPIPE') return error;
    return new CliError(`Cannot write ${this.path}: ${reasonOf(error)}`, EXIT.failure, { cause: error });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isFinished) return;
    await this.file.close().catch(() => undefined);
    if (this.temporary !== null) await rm(this.temporary, { force: true });
  }
}
