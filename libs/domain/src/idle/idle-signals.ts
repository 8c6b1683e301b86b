/** What the volunteer told the agent to do. Times are milliseconds since the epoch; null: until told otherwise. */
export type ControlWish =
  /** By the preferences. */
  | { readonly kind: 'auto' }
  | {
      readonly kind: 'pause';
      readonly untilMs: number | null;
      /** Where it was said: at the machine when left out, or on the project's website. */
      readonly from?: 'website';
    }
  /** Whatever the machine is used for; what protects it (heat, a full disk) still holds. */
  | { readonly kind: 'always'; readonly untilMs: number | null }
  /** What was asked or preferred cannot be read: it may have been a pause, so it is one. */
  | { readonly kind: 'unclear'; readonly because: string };

/** Readings of the machine at one moment. Null is "unknown", and a rule about the unknown forbids nothing. */
export interface IdleSignals {
  readonly control: ControlWish;
  /** Logical cores of the machine, at least 1. */
  readonly cores: number;
  /** Milliseconds since somebody last used keyboard, mouse or touch; null without a display. */
  readonly inputAgeMs: number | null;
  /** Share (0 to 1) of all cores that programs other than this agent use. */
  readonly cpuByOthers: number | null;
  /** Share (0 to 1) of the time in which some program waited for a core (Linux pressure stall information). */
  readonly cpuPressure: number | null;
  /** Share (0 to 1) of the time in which some program waited for memory. */
  readonly memoryPressure: number | null;
  readonly battery: {
    readonly isDischarging: boolean;
    /** 0 to 1. */
    readonly charge: number | null;
  } | null;
  /** The hottest sensor, in degrees Celsius. */
  readonly temperatureC: number | null;
  /** In MiB: of the machine, left for more programs, and held by this agent with its sandboxes. */
  readonly memory: {
    readonly totalMiB: number;
    readonly availableMiB: number;
    readonly ownMiB: number;
  } | null;
  /** Free space where the agent keeps its data, in MiB. */
  readonly freeDiskMiB: number | null;
}
