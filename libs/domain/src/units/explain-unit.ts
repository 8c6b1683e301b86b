import type { Candidate } from './find-canonical-result.js';
import { equalResults } from './find-canonical-result.js';
import { independentParties } from './independence.js';
import type { Party, UnitRules, UnitView } from './unit-view.js';

/**
 * What an open unit cannot go on without, such as `needs another account on another network`; null while somebody works
 * on it, and while it simply waits in the queue for anybody.
 *
 * @param results the unit's counting results
 */
export function explainBlockedUnit(
  unit: UnitView,
  results: readonly Candidate[],
  rules: UnitRules,
): string | null {
  if (unit.jobPaused) return 'the job is paused';
  if (results.length === 0 || unit.tasks.some((task) => task.state === 'in-progress')) return null;
  const groups = equalResults(results);
  const voters = groups.reduce((most, group) => (group.length > most.length ? group : most), []);
  const needs = needsBeyondAnAccount(voters, rules);
  const newcomer =
    needs.length === 0 ? 'needs another account' : `needs another account ${needs.join(' and ')}`;
  if (groups.length > 1) return `${newcomer}: ${groups.length} different results so far`;
  const votes = independentParties(voters, rules, rules.quorum).length;
  return `${newcomer}: ${votes} of ${rules.quorum} independent results so far`;
}

function needsBeyondAnAccount(voters: readonly Party[], rules: UnitRules): string[] {
  const needs: string[] = [];
  if (voters.some((voter) => voter.anonymous)) needs.push('that is not anonymous');
  if (rules.distinct === 'account' && !rules.allowSameNetwork) needs.push('on another network');
  return needs;
}

/** Where an open unit stands, in words for its scientist; null for settled units. */
export function explainUnit(unit: UnitView, blocked: string | null): string | null {
  switch (unit.state) {
    case 'open': {
      if (blocked !== null) return blocked;
      const working = unit.tasks.filter((task) => task.state === 'in-progress').length;
      return working > 0
        ? `in progress on ${working} ${working === 1 ? 'host' : 'hosts'}`
        : 'waits for a volunteer';
    }
    case 'awaiting-output':
      return 'agreed; waits for an agreeing host to upload its outputs';
    case 'valid':
    case 'failed':
    case 'cancelled':
      return null;
  }
}
