import { readFileSync } from 'node:fs';
import type { ControlWish } from '@gleaner/domain';
import { z } from 'zod';
import type { DataDirectory } from '../data-directory.js';

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
  constructor(private readonly directory: DataDirectory) {}

  /** A file that is absent or damaged asks for nothing. */
  read(): Control {
    try {
      return control.parse(JSON.parse(readFileSync(this.directory.file(NAME), 'utf8')));
    } catch {
      return NOTHING_ASKED;
    }
  }

  async write(change: Partial<Control>): Promise<void> {
    await this.directory.writeWhole(NAME, JSON.stringify({ v: 1, ...this.read(), ...change }));
  }
}
