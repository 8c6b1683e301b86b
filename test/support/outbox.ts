import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';

/** As mail programs do, it reads a message; then it keeps it, whole or not at all. */
const KEEP_MAIL = `
  import { text } from 'node:stream/consumers';
  import { renameSync, writeFileSync } from 'node:fs';
  const name = new URL(process.pid + '.eml', import.meta.url);
  writeFileSync(name.pathname + '.part', await text(process.stdin));
  renameSync(name.pathname + '.part', name.pathname);`;

/** Where the mail of a coordinator goes that has its {@link command}. */
export class Outbox implements AsyncDisposable {
  private constructor(private readonly directory: string) {}

  static async open(): Promise<Outbox> {
    const directory = await mkdtemp(join(tmpdir(), 'gleaner-mail-'));
    const outbox = new Outbox(directory);
    await writeFile(outbox.program, KEEP_MAIL);
    return outbox;
  }

  /** For `GLEANER_MAIL_COMMAND`. */
  get command(): string {
    return `${process.execPath} ${this.program}`;
  }

  async messagesTo(email: string): Promise<string[]> {
    const names = (await readdir(this.directory)).filter((name) => name.endsWith('.eml'));
    const messages = await Promise.all(names.map((name) => readFile(join(this.directory, name), 'utf8')));
    return messages.filter((text) => text.includes(`To: ${email}\n`));
  }

  /** The code in the message to this address, as soon as there is one. */
  async codeFor(email: string): Promise<string> {
    let code = '';
    await expect
      .poll(async () => {
        const [message = ''] = await this.messagesTo(email);
        code = /^ {2}(\S+)$/m.exec(message)?.[1] ?? '';
        return code;
      })
      .not.toBe('');
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  private get program(): string {
    return join(this.directory, 'keep-mail.mjs');
  }
}
