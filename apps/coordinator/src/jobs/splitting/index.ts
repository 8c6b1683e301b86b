export { InputMissingError, JobInputs } from './job-inputs.js';
export { JobSplitter, type SplitOutcome } from './job-splitter.service.js';
export { SplittingModule } from './splitting.module.js';
