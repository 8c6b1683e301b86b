import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Admission } from '@gleaner/sandbox/admission';
import { DomainError } from '../http/index.js';
import { runAdmission } from './run-admission.js';

const CONCURRENT_MAX = 2;

/** Checks and rewrites uploaded modules away from the process that serves everybody. */
@Injectable()
export class AdmissionService implements OnApplicationShutdown {
  private running = 0;
  private readonly stop = new AbortController();

  /** @throws {DomainError} `server-busy`, or as {@link runAdmission} does */
  async admit(bytes: Uint8Array): Promise<Admission> {
    if (this.running >= CONCURRENT_MAX) {
      throw new DomainError('server-busy', 'Other modules are being checked: try again in a few seconds.', {
        headers: { 'retry-after': '5' },
      });
    }
    this.running += 1;
    try {
      return await runAdmission(bytes, { signal: this.stop.signal });
    } finally {
      this.running -= 1;
    }
  }

  onApplicationShutdown(): void {
    this.stop.abort();
  }
}
