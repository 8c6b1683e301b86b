export const DISPATCH_SETTINGS = Symbol('DISPATCH_SETTINGS');

export interface DispatchSettings {
  /** Lanes of every class, the same for all coordinators of an installation. */
  readonly lanes: number;
  /** Two accounts of one /24 or /48 may serve one unit. */
  readonly allowSameNetwork: boolean;
}

/** Each lane of each class in use holds a connection to the queue backend: few where that is Postgres. */
export const LANES = { redis: 8, postgres: 2 } as const;
