import { mkdirSync, openSync, closeSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface RotatingLogInit {
  readonly path: string;
  /** A file that has reached this size is put aside. */
  readonly maxBytes?: number;
  /** Files put aside that are kept: `agent.log.1` is the latest. */
  readonly keptFiles?: number;
}

/** A log that never grows beyond `maxBytes` times one more than `keptFiles`. A full disk loses lines, nothing else. */
export class RotatingLog {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #keptFiles: number;
  #descriptor: number | null = null;
  #bytes = 0;

  constructor({ path, maxBytes = 2 * 1024 * 1024, keptFiles = 3 }: RotatingLogInit) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#keptFiles = keptFiles;
  }

  write(line: string): void {
    try {
      const bytes = Buffer.from(`${line}\n`);
      if (this.#bytes + bytes.length > this.#maxBytes) this.#rotate();
      this.#descriptor ??= this.#open();
      this.#bytes += writeSync(this.#descriptor, bytes);
    } catch {
      // Computing goes on without a log.
      this.close();
    }
  }

  close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    if (descriptor === null) return;
    try {
      closeSync(descriptor);
    } catch {
      // As over a network, or beyond a quota. It is closed all the same, and another file's number before long.
    }
  }

  #open(): number {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    const descriptor = openSync(this.#path, 'a', 0o600);
    this.#bytes = statSync(this.#path).size;
    return descriptor;
  }

  #rotate(): void {
    this.close();
    for (let number = this.#keptFiles; number >= 1; number--) {
      const from = number === 1 ? this.#path : `${this.#path}.${number - 1}`;
      if (statSync(from, { throwIfNoEntry: false })) renameSync(from, `${this.#path}.${number}`);
    }
    this.#bytes = 0;
  }
}
