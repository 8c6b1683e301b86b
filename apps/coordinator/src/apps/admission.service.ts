import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Injectable } from '@nestjs/common';
import type { Admission } from '@gleaner/sandbox/admission';
import { DomainError } from '../http/index.js';

/** Admission takes half a second for 5 MB; what takes this long is an attack or a defect. */
const TIME_LIMIT_MS = 30_000;
const MEMORY_LIMIT_MIB = 1_536;
const CONCURRENT_MAX = 2;

/** Checks and rewrites uploaded modules away from the thread that serves everybody. */
@Injectable()
export class AdmissionService {
  private running = 0;

  /** @throws {DomainError} `server-busy`, or `module-refused` where the module costs more time or memory than allowed */
  async admit(bytes: Uint8Array): Promise<Admission> {
    if (this.running >= CONCURRENT_MAX) {
      throw new DomainError('server-busy', 'Other modules are being checked: try again in a few seconds.', {
        headers: { 'retry-after': '5' },
      });
    }
    this.running += 1;
    try {
      return await admitInThread(bytes);
    } finally {
      this.running -= 1;
    }
  }
}

function admitInThread(bytes: Uint8Array): Promise<Admission> {
  const thread = new Worker(threadProgram(), {
    workerData: bytes,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_LIMIT_MIB },
  });
  return new Promise<Admission>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(refused(`checking it took longer than ${TIME_LIMIT_MS / 1000} s`));
    }, TIME_LIMIT_MS);
    // The thread is our own program: what it posts is an admission.
    thread.once('message', (admission: Admission) => resolve(admission));
    thread.once('error', (error: Error) => reject(refused(`checking it failed: ${error.message}`, error)));
    thread.once('exit', () => {
      clearTimeout(timer);
      reject(refused('checking it ended early'));
    });
  }).finally(() => void thread.terminate());
}

function refused(detail: string, cause?: unknown): DomainError {
  return new DomainError('module-refused', `The module was not admitted: ${detail}.`, {
    errors: [{ pointer: '', detail }],
    cause,
  });
}

/** Compiled beside this file; the tests run the sources, which Node can strip of their types. */
function threadProgram(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`./admission-thread.${extension}`, import.meta.url));
}
