/** Tickets that are looked at beyond those wanted, to find some whose inputs the host holds. */
export const LOCALITY_LOOKAHEAD = 64;
/** Requests whose hosts took others' tickets before those of a job: the next one takes them as if it held their inputs. */
export const LOCALITY_PATIENCE_REQUESTS = 4;

/**
 * Of the tickets at hand, in their order, those to take: first the ones whose chunks the host holds already, then the others.
 * A preference, not a rule: a host that holds nothing of what there is takes what comes first.
 *
 * @returns `chosen` and the `rest`, both in the order of `tickets`
 */
export function preferHeld<T>(
  tickets: readonly T[],
  isHeld: (ticket: T) => boolean,
  count: number,
): { readonly chosen: readonly T[]; readonly rest: readonly T[] } {
  if (tickets.length <= count) return { chosen: tickets, rest: [] };
  const taken = new Set<number>();
  for (const wantsHeld of [true, false]) {
    for (const [at, ticket] of tickets.entries()) {
      if (taken.size >= count) break;
      if (!taken.has(at) && isHeld(ticket) === wantsHeld) taken.add(at);
    }
  }
  return {
    chosen: tickets.filter((_, at) => taken.has(at)),
    rest: tickets.filter((_, at) => !taken.has(at)),
  };
}
