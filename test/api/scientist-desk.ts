import { job as jobSchema, type Job, type JobSpecInput } from '@gleaner/protocol';
import { expect, vi } from 'vitest';
import { helloModule } from '../e2e/agent-support/tiny-modules.js';
import { anApprovedApp, type Science } from '../e2e/volunteering/science.js';
import { createTestApplication, type TestApplication, type TestClient } from '../support/index.js';

/** A coordinator with a scientist, who submits jobs of an app that nobody computes. */
export class ScientistDesk {
  private constructor(
    readonly gleaner: TestApplication,
    readonly science: Science,
  ) {}

  static async open(): Promise<ScientistDesk> {
    const gleaner = await createTestApplication();
    return new ScientistDesk(gleaner, await anApprovedApp(gleaner, 'hello', helloModule('hello\n').original));
  }

  close(): Promise<void> {
    return this.gleaner.close();
  }

  /** A job of ten units. */
  aSpec(overrides: Partial<JobSpecInput> = {}): JobSpecInput {
    return {
      name: 'a job',
      app: this.science.app,
      split: [{ kind: 'range', name: 'n', from: 0, to: 10, step: 1 }],
      args: ['{n.from}'],
      ...overrides,
    };
  }

  async submit(
    overrides: Partial<JobSpecInput> = {},
    client: TestClient = this.science.scientist,
  ): Promise<Job> {
    const body = { project: this.science.project, spec: this.aSpec(overrides) };
    return jobSchema.parse((await client.post('/v1/jobs', body).expect(202)).body);
  }

  async look(id: string): Promise<Job> {
    return jobSchema.parse((await this.science.scientist.get(`/v1/jobs/${id}`).expect(200)).body);
  }

  untilState(id: string, state: Job['state']): Promise<Job> {
    return this.until(id, (job) => expect(job.state).toBe(state));
  }

  /** Looks at the job until `holds` has nothing to object. */
  until(id: string, holds: (job: Job) => void): Promise<Job> {
    return vi.waitFor(
      async () => {
        const found = await this.look(id);
        holds(found);
        return found;
      },
      { timeout: 60_000, interval: 50 },
    );
  }
}
