/** What to add to a module. Everything is on for volunteers; the fuzzer and the benchmarks compare with and without. */
export interface AdmissionOptions {
  /** Count cycles and stop at the limit. */
  readonly metering?: boolean;
  /** Count the virtual stack and stop at its end. */
  readonly depth?: boolean;
  /** Canonicalise NaN bits where they can be observed. */
  readonly nan?: boolean;
  /**
   * `app` (default) is the profile of volunteers' modules. `conformance` also admits what the specification's test suite
   * needs to run its assertions: imports of every kind from `spectest` and from each other, floats in imports, no memory, no entry point.
   */
  readonly profile?: 'app' | 'conformance';
}

export type Profile = NonNullable<AdmissionOptions['profile']>;
export type ResolvedOptions = Required<AdmissionOptions>;

export function resolveOptions({
  metering = true,
  depth = true,
  nan = true,
  profile = 'app',
}: AdmissionOptions): ResolvedOptions {
  return { metering, depth, nan, profile };
}
