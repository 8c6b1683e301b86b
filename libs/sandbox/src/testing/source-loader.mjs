// For tests: lets plain Node run the sources, in which `x.js` means `x.ts`.
import { registerHooks } from 'node:module';

registerHooks({
  resolve: (specifier, context, next) =>
    next(/^\.\.?\/.*\.js$/.test(specifier) ? specifier.replace(/js$/, 'ts') : specifier, context),
});
