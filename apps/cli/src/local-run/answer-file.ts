import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { CliError, EXIT, reasonOf } from '../cli-error.js';

/** The file that an answer goes to. It appears under its name when it is whole. */
export class AnswerFile implements AsyncDisposable {
  #isFinished = false;

  private constructor(
    private readonly path: string,
    private readonly temporary: string,
    private readonly file: FileHandle,
  ) {}

  /** @throws {CliError} when nothing can be written there */
  static async create(path: string): Promise<AnswerFile> {
    const temporary = `${path}.part`;
    const file = await open(temporary, 'w').catch((error: unknown) => {
      throw new CliError(`Cannot write ${path}: ${reasonOf(error)}`, EXIT.usage, { cause: error });
    });
    return new AnswerFile(path, temporary, file);
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.file.writeFile(bytes);
  }

  async finish(): Promise<void> {
    await this.file.close();
    await rename(this.temporary, this.path);
    this.#isFinished = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isFinished) return;
    await this.file.close();
    await rm(this.temporary, { force: true });
  }
}
