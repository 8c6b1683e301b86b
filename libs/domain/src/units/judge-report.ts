import type { ReportAnswer, TaskState, UnitState } from '@gleaner/protocol';
import { isFinalUnitState } from './unit-view.js';

/**
 * What a report deserves that was not stored, by the states that it met. `accepted` means that nothing stood in its way: they changed
 * before it could be written, and it may come again.
 *
 * @param isSettledByAgreement whether the unit has a canonical result that a late one can be compared with
 * @param hasResult whether the task has one already, as an aborted one of another runtime does: nobody has a second word
 */
export function judgeReport(
  taskState: TaskState,
  unitState: UnitState,
  isSettledByAgreement: boolean,
  hasResult: boolean,
): Pick<ReportAnswer, 'status' | 'reason'> {
  switch (taskState) {
    case 'reported':
    case 'valid':
    case 'invalid':
    case 'error':
      return { status: 'repeat' };
    case 'in-progress':
    case 'lost':
    case 'aborted':
      if (isFinalUnitState(unitState) && !isSettledByAgreement) {
        return {
          status: 'refused',
          reason: `the work unit is ${unitState}; its results are no longer wanted`,
        };
      }
      return { status: hasResult ? 'repeat' : 'accepted' };
  }
}
