import type { UnitResult, UnitToRun } from './types.js';

/** A unit on its way to a sandbox process or worker; its module travels apart, once. */
export type SentUnit = Omit<UnitToRun, 'module'> & {
  readonly id: number;
  /** Whether somebody looks at its pictures. */
  readonly isWatched: boolean;
  readonly checkpoint?: SentCheckpoint;
};

/** `path`: a file of the sandbox's own. Otherwise snapshots travel as messages. */
export type SentCheckpoint =
  | { readonly everyMs: number; readonly path: string }
  | { readonly everyMs: number; readonly path: null; readonly from: Uint8Array | null };

export interface SentModule {
  readonly sha256: string;
  readonly source: UnitToRun['module'];
}

/** To the sandbox. */
export type SandboxRequest =
  | {
      readonly type: 'run';
      readonly modules: readonly SentModule[];
      /** Compiled modules to forget, by SHA-256. */
      readonly evict: readonly string[];
      readonly units: readonly SentUnit[];
    }
  /** Units that nobody waits for any more. */
  | { readonly type: 'drop'; readonly ids: readonly number[] }
  /** Units whose state is to be kept at the next step, where their run ends for now. */
  | { readonly type: 'suspend'; readonly ids: readonly number[] }
  /** Holds between units and between steps, where the operating system cannot stop the process. */
  | { readonly type: 'hold'; readonly isHeld: boolean };

export interface FinishedUnit {
  readonly id: number;
  readonly result: UnitResult;
  /** The module could not be compiled and is not kept: it has to be sent again. */
  readonly isModuleLost: boolean;
}

/** From the sandbox. */
export type SandboxReply =
  | { readonly type: 'ready' }
  /** A unit was dropped before it began. */
  | { readonly type: 'dropped'; readonly id: number }
  /** The unit's state is kept, and it computes no further. */
  | { readonly type: 'suspended'; readonly id: number }
  | { readonly type: 'finished'; readonly units: readonly FinishedUnit[] }
  | {
      readonly type: 'progress';
      readonly id: number;
      readonly permille: number | null;
      readonly cycles: bigint;
    }
  /** See `RunOptions.onCheckpointTrouble`. */
  | { readonly type: 'checkpoint-trouble'; readonly id: number; readonly reason: string | null }
  | { readonly type: 'frame'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly type: 'snapshot'; readonly id: number; readonly bytes: Uint8Array };
