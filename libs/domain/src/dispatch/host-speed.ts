/** What a host computed in its latest results and the processor time that it took, the newest counting most. */
export interface HostSpeed {
  readonly cycles: number;
  /** Milliseconds. */
  readonly cpuMs: number;
}

/** The speed after one more result; of a result without processor time nothing follows. */
export function speedAfter(
  earlier: HostSpeed | undefined,
  result: { readonly cycles: string; readonly cpuMs?: number | undefined },
): HostSpeed | undefined {
  const { cycles, cpuMs } = result;
  if (cpuMs === undefined || cpuMs <= 0) return earlier;
  // What came before is halved each time: sums of both keep short results from counting as much as long ones.
  return {
    cycles: (earlier?.cycles ?? 0) / 2 + Number(cycles),
    cpuMs: (earlier?.cpuMs ?? 0) / 2 + cpuMs,
  };
}

/** Executed instructions a second of one core. */
export function cyclesPerSecond({ cycles, cpuMs }: HostSpeed): number {
  return Math.round((cycles / cpuMs) * 1000);
}
