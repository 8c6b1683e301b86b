import { defineConfig } from '@hey-api/openapi-ts';

// The document is the coordinator's own: test/web/public-jobs.itest.ts fails when it no longer describes what is served.
export default defineConfig({
  input: './openapi.json',
  output: { path: './src/generated', module: { extension: '.js' }, clean: true },
  plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
});
