import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { reasonOf } from '../cli-error.js';
import { ChildProgram } from './child-program.js';
import { coordinatorMain } from './program-paths.js';
import { rejectOnAbort } from './stop-signal.js';

/** Its own graceful end may take as long as Postgres needs to stop. */
const STOP_GRACE_MS = 50_000;

const readyLine = z.object({
  url: z.url(),
  dataDir: z.string(),
  /** Present when the installation is new: its first operator's token. */
  operatorToken: z.string().nullable().default(null),
});

export interface CoordinatorProcessInit {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Lines of its log. */
  readonly onLog?: (line: string) => void;
  /** Stops a coordinator that is still starting; afterwards it is the caller who stops it. */
  readonly signal: AbortSignal;
}

/** The coordinator as a child process with everything embedded that the environment does not name. */
export class CoordinatorProcess {
  private constructor(
    private readonly program: ChildProgram,
    private readonly init: CoordinatorProcessInit,
    readonly url: string,
    readonly dataDir: string,
    readonly operatorToken: string | null,
  ) {}

  /** Resolves when it serves; rejects with the end of its log when it does not come up. */
  static async start(init: CoordinatorProcessInit): Promise<CoordinatorProcess> {
    const { promise: ready, resolve } = Promise.withResolvers<z.infer<typeof readyLine>>();
    const program = new ChildProgram({
      label: 'the coordinator',
      main: coordinatorMain(),
      args: [],
      env: { ...init.env, GLEANER_JSON: '1' },
      onStdoutLine: (line) => {
        const parsed = readyLine.safeParse(parseJson(line));
        if (parsed.success) resolve(parsed.data);
        else init.onLog?.(line);
      },
      ...(init.onLog && { onStderrLine: init.onLog }),
    });
    try {
      const { url, dataDir, operatorToken } = await Promise.race([
        ready,
        program.failed(),
        rejectOnAbort(init.signal),
      ]);
      return new CoordinatorProcess(program, init, url, dataDir, operatorToken);
    } catch (error) {
      await program.stop(STOP_GRACE_MS);
      if (program.wasKilled) await stopAbandonedDatabase(init);
      throw error;
    }
  }

  /** Rejects when the coordinator ends by itself, and its database server with it. */
  async failed(): Promise<never> {
    try {
      return await this.program.failed();
    } catch (error) {
      await stopAbandonedDatabase(this.init);
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.program.stop(STOP_GRACE_MS);
    if (this.program.wasKilled) await stopAbandonedDatabase(this.init);
  }
}

/** A secret in the form of the coordinator's own tokens. */
export function drawToken(): string {
  return `gln_${randomBytes(32).toString('base64url')}`;
}

/** Its database server is a process of its own, which outlives a coordinator that was killed. What fails here is noted only. */
async function stopAbandonedDatabase({ env, onLog }: CoordinatorProcessInit): Promise<void> {
  const program = new ChildProgram({
    label: 'the end of the database',
    main: coordinatorMain(),
    args: ['--stop-database'],
    env,
    ...(onLog && { onStderrLine: onLog }),
  });
  try {
    await program.exited;
  } catch (error) {
    onLog?.(`the database server of the coordinator may still run: ${reasonOf(error)}`);
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
