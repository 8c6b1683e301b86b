import { readFileSync } from 'node:fs';
import type { ControlWish } from '@gleaner/domain';
import { z } from 'zod';
import type { DataDirectory } from '../data-directory.js';
import { AgentError, EXIT } from '../exit-codes.js';

const NAME = 'control.json';

const instantMs = z.number().int().min(0);
const control = z.object({
  v: z.literal(1),
  wish: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('auto') }),
    z.object({ kind: z.literal('pause'), untilMs: instantMs.nullable() }),
    z.object({ kind: z.literal('always'), untilMs: instantMs.nullable() }),
  ]),
  /** When the volunteer said it; what is said on a website later goes before all but a pause. */
  wishedAtMs: instantMs.nullable().default(null),
  /** When the volunteer asked the running agent to end after its work; an agent started later takes no notice. */
  finishAskedAtMs: instantMs.nullable(),
});

export interface Control {
  readonly wish: ControlWish;
  readonly wishedAtMs: number | null;
  readonly finishAskedAtMs: number | null;
}

const NOTHING_ASKED: Control = { wish: { kind: 'auto' }, wishedAtMs: null, finishAskedAtMs: null };

/**
 * What the volunteer told the agent, in its own directory: only its owner can write there, it outlives the agent, and
 * nothing has to listen for it.
 */
export class ControlFile {
  /** Null before anything was understood. */
  #understood: Control | null = null;
  #trouble: string | null = null;

  constructor(private readonly directory: DataDirectory) {}

  /** Why the file could not be read at the last look; null where it could. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /**
   * A file that is absent asks for nothing. One that cannot be read, damaged or not, asks for what it did before, and where
   * that is unknown for a pause: it may have been one.
   */
  read(): Control {
    try {
      this.#understood = this.#readFile();
      this.#trouble = null;
      return this.#understood;
    } catch (error) {
      this.#trouble = String(error);
      const because = `${this.directory.file(NAME)} is damaged, it may have asked for a pause; "gleaner agent resume" goes on`;
      return this.#understood ?? { ...NOTHING_ASKED, wish: { kind: 'unclear', because } };
    }
  }

  /** @throws {AgentError} when the file is damaged and the change does not say whether to compute */
  async write(change: Partial<Control>): Promise<void> {
    const asked = { ...this.read(), ...change };
    if (asked.wish.kind === 'unclear') {
      const path = this.directory.file(NAME);
      throw new AgentError(
        `${path} is damaged: say "gleaner agent pause" or "gleaner agent resume" first`,
        EXIT.failure,
      );
    }
    await this.directory.writeWhole(NAME, JSON.stringify({ v: 1, ...asked }));
  }

  #readFile(): Control {
    let text: string;
    try {
      text = readFileSync(this.directory.file(NAME), 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return NOTHING_ASKED;
      throw error;
    }
    return control.parse(JSON.parse(text));
  }
}
