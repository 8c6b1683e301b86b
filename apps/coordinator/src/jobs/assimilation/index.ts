export { AssimilationModule } from './assimilation.module.js';
export { type AssimilationOutcome, Assimilator } from './assimilator.service.js';
export { CanonicalOutputs, OutputMissingError } from './canonical-outputs.js';
export { foldingDirectory } from './folding-directory.js';
