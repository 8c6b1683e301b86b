export { admitModule } from './admit-module.js';
export { HOST_IMPORTS } from './host-imports.js';
export { ADMISSION_LIMITS } from '../binary/limits.js';
export type { AdmissionOptions } from './options.js';
export type { Admission, AdmissionError, AdmissionReport } from './types.js';
export { VIRTUAL_STACK_BYTES } from './virtual-stack.js';
export { ABI, RUNTIME_VERSION, STOP } from '../abi.js';
