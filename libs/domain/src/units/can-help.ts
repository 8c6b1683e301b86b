import { equalResults } from './find-canonical-result.js';
import type { Candidate } from './find-canonical-result.js';
import { independentParties } from './independence.js';
import type { Party, TaskView, UnitRules } from './unit-view.js';
import { distinctKey } from './unit-view.js';

/**
 * Whether a result from `candidate` could bring a unit nearer to its quorum: nobody who depends on all the voters should
 * be sent a task, or units would run out of `maxTasks` on volunteers who cannot complete them.
 *
 * @param tasks all tasks of the unit
 */
export function canHelp(tasks: readonly TaskView[], candidate: Party, rules: UnitRules): boolean {
  const key = distinctKey(candidate, rules);
  const working: Party[] = [];
  const voters: Array<TaskView & Candidate> = [];
  for (const task of tasks) {
    if (!task.counts) continue;
    if (distinctKey(task, rules) === key) return false;
    if (task.state === 'in-progress') working.push(task);
    else if (task.result !== null) voters.push({ ...task, result: task.result });
  }
  const groups: ReadonlyArray<readonly Party[]> = voters.length === 0 ? [[]] : equalResults(voters);
  return groups.some((group) => {
    const others = [...group, ...working];
    return (
      independentParties([...others, candidate], rules).length > independentParties(others, rules).length
    );
  });
}
