import type { ReportAnswer, TaskState, UnitState } from '@gleaner/protocol';
import { isFinalUnitState } from './unit-view.js';

/**
 * The answer to a report before it is stored. `accepted` means: store it if the row's state is still the one judged.
 *
 * @param isSettledByAgreement whether the unit has a canonical result that a late one can be compared with
 */
export function judgeReport(
  taskState: TaskState,
  unitState: UnitState,
  isSettledByAgreement: boolean,
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
      return { status: 'accepted' };
  }
}
