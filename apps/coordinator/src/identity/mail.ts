import { spawn } from 'node:child_process';
import type { Config } from '../config/index.js';

/** Injection token of the {@link Mail}. */
export const MAIL = Symbol('MAIL');

const SEND_TIMEOUT_MS = 30_000;

interface Message {
  /** One address, already checked. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** How people are written to. */
export interface Mail {
  send(message: Message): Promise<void>;
}

export function mailOf(config: Config): Mail {
  return config.mailCommand === null
    ? new ConsoleMail()
    : new CommandMail(config.mailCommand, config.mailFrom);
}

/** Where nothing sends mail the operator sees it, and can pass it on. */
class ConsoleMail implements Mail {
  send({ to, subject, text }: Message): Promise<void> {
    process.stderr.write(`\n--- mail to ${to}: ${subject}\n${text}\n---\n`);
    return Promise.resolve();
  }
}

/** Hands each message to a program such as `sendmail -t`. */
class CommandMail implements Mail {
  constructor(
    private readonly command: string,
    private readonly from: string,
  ) {}

  send({ to, subject, text }: Message): Promise<void> {
    const [program = '', ...args] = this.command.split(/\s+/);
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        stdio: ['pipe', 'ignore', 'ignore'],
        timeout: SEND_TIMEOUT_MS,
      });
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        if (code === 0) resolve();
        else reject(new Error(`the mail command "${program}" ended with ${code ?? signal ?? 'nothing'}`));
      });
      // A program that does not read ends with an exit code, which tells more.
      child.stdin.on('error', () => undefined);
      child.stdin.end(
        `From: ${this.from}\nTo: ${to}\nSubject: ${subject}\nMIME-Version: 1.0\n` +
          `Content-Type: text/plain; charset=utf-8\n\n${text}\n`,
      );
    });
  }
}
