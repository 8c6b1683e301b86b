import { Foundation20261121000000 } from './20261121000000-foundation.js';
import { Dispatch20261121000100 } from './20261121000100-dispatch.js';

/** All migrations, oldest first. Append only: a landed migration never changes. */
export const MIGRATIONS = [Foundation20261121000000, Dispatch20261121000100] as const;
