import { constants } from 'node:fs';
import { open, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { CliError, EXIT, isSystemError, reasonOf } from './cli-error.js';

/** Less is fetched again sooner than somebody wonders what a file is that was left. */
const WORTH_KEEPING_BYTES = 1024 * 1024;
/** Of the digest in a part's name. */
const NAMED_DIGITS = 12;

/** The file that an answer goes to. It appears under its name when it is whole; a pipe or a device gets it as it comes. */
export class AnswerFile implements AsyncDisposable {
  #isFinished = false;
  #isKept = false;
  #isSpoilt = false;
  #sizeBytes = 0;

  private constructor(
    private readonly path: string,
    /** Where it is written until it is whole; null: where it belongs. */
    private readonly temporary: string | null,
    private readonly file: FileHandle,
    /** What is known before it comes may be gone on with later. */
    private readonly isKnown = false,
  ) {}

  /**
   * @param sha256 of the whole answer, where it is known before: a part of it that was left is gone on with
   * @throws {CliError} when nothing can be written there
   */
  static async create(path: string, sha256: string | null = null): Promise<AnswerFile> {
    const found = await stat(path).catch(() => null);
    if (found?.isDirectory() === true || path === '') {
      const what = path === '' ? 'an answer to a file without a name' : `${path}: it is a directory`;
      throw new CliError(`Cannot write ${what}`, EXIT.usage);
    }
    try {
      // A rename would put a file in the place of the device, the pipe or the link.
      if (found?.isFile() === false) return new AnswerFile(path, null, await open(path, 'w'));
      const target = found ? await realpath(path) : path;
      if (sha256 === null) {
        const temporary = `${target}.part`;
        return new AnswerFile(target, temporary, await open(temporary, 'w'));
      }
      // Of an answer that is another by now nothing is to be put together with this one.
      const temporary = `${target}.${sha256.slice(0, NAMED_DIGITS)}.part`;
      return new AnswerFile(
        target,
        temporary,
        await open(temporary, constants.O_RDWR | constants.O_CREAT),
        true,
      );
    } catch (error) {
      throw new CliError(`Cannot write ${path}: ${reasonOf(error)}`, EXIT.usage, { cause: error });
    }
  }

  /** What an earlier command left, to be read to its end before more is written. */
  async *left(): AsyncGenerator<Uint8Array> {
    if (!this.isKnown) return;
    const parts: AsyncIterable<Uint8Array> = this.file.createReadStream({ autoClose: false });
    for await (const part of parts) {
      this.#sizeBytes += part.length;
      yield part;
    }
  }

  /** Has this answer gone on with by a later command, where that is worth it. */
  keep(): { readonly path: string; readonly sizeBytes: number } | null {
    if (!this.isKnown || this.#isSpoilt || this.#sizeBytes < WORTH_KEEPING_BYTES) return null;
    this.#isKept = true;
    return { path: this.temporary ?? this.path, sizeBytes: this.#sizeBytes };
  }

  /** @throws {CliError} as when the disk is full */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.file.writeFile(bytes);
      this.#sizeBytes += bytes.length;
    } catch (error) {
      // It may be the room that it takes which others want.
      this.#isSpoilt = true;
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
    if (this.temporary !== null && !this.#isKept) await rm(this.temporary, { force: true });
  }
}
