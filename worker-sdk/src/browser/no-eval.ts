import { config } from 'zod';

// Where schemas are made, zod tries whether it may make code of strings. The pages of a careful site forbid that, and browsers
// tell of every try.
config({ jitless: true });
