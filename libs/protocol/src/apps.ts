import { z } from 'zod';
import { isoInstant, pageOf, sha256Hex, slug, versionName } from './primitives.js';

export const admissionReport = z
  .strictObject({
    originalSha256: sha256Hex.describe('Of the module as it was published.'),
    rewrittenSha256: sha256Hex.describe(
      'Of the module that volunteers fetch: metered and made deterministic.',
    ),
    runtimeVersion: z
      .string()
      .describe('Of the sandbox that admitted it; machines that do not know it get no work of the app.'),
    originalBytes: z.number().int(),
    rewrittenBytes: z.number().int(),
    stepping: z
      .boolean()
      .describe('It computes in steps: its work is paused and continued, and browsers may have it.'),
    imports: z.array(z.string()).describe('What it asks of the sandbox, as `MODULE.NAME`.'),
    features: z.array(z.string()).describe('Of WebAssembly, beyond its first version.'),
    warnings: z.array(z.string()).describe('What is admitted, and is maybe not meant.'),
    functions: z.number().int(),
    staticStackBytes: z
      .number()
      .int()
      .nullable()
      .describe('What the deepest chain of calls takes; null where calls recurse.'),
    memoryPages: z
      .strictObject({
        initial: z.number().int().describe("A job's memory limit must allow them."),
        maximum: z.number().int().nullable().describe('null: the module names none.'),
      })
      .describe('In pages of 64 KiB.'),
  })
  .meta({ id: 'AdmissionReport' });
export type AdmissionReportDto = z.infer<typeof admissionReport>;

export const appVersion = z
  .strictObject({
    app: slug,
    version: versionName,
    project: slug,
    approved: z
      .boolean()
      .describe(
        "Until an operator has approved it, it runs only on its submitter's own machines and earns no credit.",
      ),
    approvedAt: isoInstant.nullable(),
    createdAt: isoInstant,
    report: admissionReport,
  })
  .meta({ id: 'AppVersion' });
export type AppVersion = z.infer<typeof appVersion>;

/** POST /v1/apps?project=&name=&version= with the module as `application/wasm`. */
export const publishAppQuery = z.strictObject({
  project: slug.describe('Whose app it is: only its scientists publish further versions.'),
  name: slug.describe('The same for all versions of the app, and nobody else’s.'),
  version: versionName.describe('Never used before: a version is never replaced.'),
});

export const appVersionPage = pageOf(appVersion);
