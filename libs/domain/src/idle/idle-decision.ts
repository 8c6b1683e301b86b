/** Which rule holds the agent back; stable, for programs. */
export const PAUSE_CODES = [
  'asked',
  'unclear',
  'hours',
  'battery',
  'temperature',
  'disk',
  'input',
  'cpu-by-others',
  'memory',
] as const;
export type PauseCode = (typeof PAUSE_CODES)[number];

/** What the agent may do now. */
export type IdleDecision = {
  /** One sentence for the volunteer, beginning with "paused:" or "computing". */
  readonly reason: string;
} & (
  | {
      readonly run: false;
      readonly code: PauseCode;
      readonly cores: 0;
      readonly duty: 0;
      readonly memoryMiB: 0;
    }
  | {
      readonly run: true;
      readonly code: null;
      /** At least 1, at most the machine's. */
      readonly cores: number;
      /** Share (0 to 1] of the time that each of them computes. */
      readonly duty: number;
      /** All tasks together; null where the machine's memory is unknown. */
      readonly memoryMiB: number | null;
    }
);

export function paused(code: PauseCode, because: string): IdleDecision {
  return { run: false, code, cores: 0, duty: 0, memoryMiB: 0, reason: `paused: ${because}` };
}
