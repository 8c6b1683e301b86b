import type { Id, IndependenceRules, Party } from './unit-view.js';

/**
 * A set of mutually independent parties: distinct persons (hosts, where `distinct` is `host`), at most one anonymous,
 * and distinct networks unless allowed.
 *
 * @param enough stops as soon as this many are found; without it the set is the largest possible
 * @returns members of `parties`; as many as `enough` whenever that many exist
 */
export function independentParties<T extends Party>(
  parties: readonly T[],
  rules: IndependenceRules,
  enough = Number.POSITIVE_INFINITY,
): readonly T[] {
  const greedy = pickGreedily(parties, rules, enough);
  if (greedy.length >= enough || greedy.length === parties.length || !networkMatters(rules)) return greedy;
  return pickByMatching(parties, enough);
}

/** Whether `candidate` could still vote beside every one of `parties`. */
export function isIndependentOfAll(
  candidate: Party,
  parties: readonly Party[],
  rules: IndependenceRules,
): boolean {
  return parties.every((party) => areIndependent(party, candidate, rules));
}

function areIndependent(a: Party, b: Party, rules: IndependenceRules): boolean {
  if (a.anonymous && b.anonymous) return false;
  if (voter(a, rules) === voter(b, rules)) return false;
  return !networkMatters(rules) || a.network !== b.network;
}

function networkMatters(rules: IndependenceRules): boolean {
  return rules.distinct === 'account' && !rules.allowSameNetwork;
}

function voter(party: Party, rules: IndependenceRules): Id {
  return rules.distinct === 'host' ? party.hostId : party.personId;
}

/** Named accounts first: of persons alone that is already the largest set, since only one anonymous may follow. */
function pickGreedily<T extends Party>(parties: readonly T[], rules: IndependenceRules, enough: number): T[] {
  const picked: T[] = [];
  for (const anonymous of [false, true]) {
    for (const party of parties) {
      if (picked.length >= enough) return picked;
      if (party.anonymous === anonymous && isIndependentOfAll(party, picked, rules)) picked.push(party);
    }
  }
  return picked;
}

/**
 * Each party is an edge between its person and its network, and an independent set is a matching. Augmenting paths
 * (Kuhn 1955) find the largest; a unit has at most 64 tasks.
 */
function pickByMatching<T extends Party>(parties: readonly T[], enough: number): readonly T[] {
  const named = parties.filter((party) => !party.anonymous);
  let best = largestMatching(named);
  for (const anonymous of parties) {
    if (best.length >= enough) break;
    if (!anonymous.anonymous) continue;
    const others = named.filter(
      (party) => party.personId !== anonymous.personId && party.network !== anonymous.network,
    );
    const withAnonymous = [...largestMatching(others), anonymous];
    if (withAnonymous.length > best.length) best = withAnonymous;
  }
  return best;
}

function largestMatching<T extends Party>(parties: readonly T[]): T[] {
  const byPerson = new Map<Id, T[]>();
  for (const party of parties) {
    const edges = byPerson.get(party.personId);
    if (edges) edges.push(party);
    else byPerson.set(party.personId, [party]);
  }
  const takenBy = new Map<string | null, T>();
  const augment = (person: Id, visited: Set<string | null>): boolean => {
    for (const edge of byPerson.get(person) ?? []) {
      if (visited.has(edge.network)) continue;
      visited.add(edge.network);
      const holder = takenBy.get(edge.network);
      if (holder === undefined || augment(holder.personId, visited)) {
        takenBy.set(edge.network, edge);
        return true;
      }
    }
    return false;
  };
  for (const person of byPerson.keys()) augment(person, new Set());
  return [...takenBy.values()];
}
