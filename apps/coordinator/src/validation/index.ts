export { allowanceAfterSql } from './allowance-after.js';
export { LINK_SETTLES_MS } from './linked-accounts.service.js';
export { Examiner } from './examiner.service.js';
export { saveDecided, UPLOAD_WITHIN_MS } from './save-decisions.statement.js';
export { unitsWithTasks } from './search-units.js';
export { taskBlobOwner } from './task-blob-owner.js';
export { type LoadedUnit, UnitReader } from './unit-reader.service.js';
export { ValidationModule } from './validation.module.js';
export { ValidationService } from './validation.service.js';
