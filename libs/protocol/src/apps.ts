import { z } from 'zod';
import { isoInstant, pageOf, sha256Hex, slug, versionName } from './primitives.js';

export const admissionReport = z
  .strictObject({
    originalSha256: sha256Hex,
    rewrittenSha256: sha256Hex,
    runtimeVersion: z.string(),
    originalBytes: z.number().int(),
    rewrittenBytes: z.number().int(),
    stepping: z.boolean(),
    imports: z.array(z.string()),
    features: z.array(z.string()),
    warnings: z.array(z.string()),
    functions: z.number().int(),
    /** Bytes of virtual stack that the deepest non-recursive call chain takes; null where calls recurse. */
    staticStackBytes: z.number().int().nullable(),
    /** Pages of 64 KiB that the memory starts with, and its own maximum; a job's memory limit must allow the first. */
    memoryPages: z.strictObject({ initial: z.number().int(), maximum: z.number().int().nullable() }),
  })
  .meta({ id: 'AdmissionReport' });
export type AdmissionReportDto = z.infer<typeof admissionReport>;

export const appVersion = z
  .strictObject({
    app: slug,
    version: versionName,
    project: slug,
    approved: z.boolean(),
    approvedAt: isoInstant.nullable(),
    createdAt: isoInstant,
    report: admissionReport,
  })
  .meta({ id: 'AppVersion' });
export type AppVersion = z.infer<typeof appVersion>;

/** POST /v1/apps?project=&name=&version= with the module as `application/wasm`. */
export const publishAppQuery = z.strictObject({ project: slug, name: slug, version: versionName });

export const appVersionPage = pageOf(appVersion);
