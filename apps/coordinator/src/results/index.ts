export { checkReport } from './check-report.js';
export { type Reporter, ReportsService } from './reports.service.js';
export { ResultsModule } from './results.module.js';
export { type CheckedReport, runReports, type StoredOutput } from './report.statement.js';
export { TaskOutputs } from './task-outputs.service.js';
