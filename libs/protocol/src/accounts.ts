import { z } from 'zod';
import { decimalString, displayName, entityId, isoInstant, pageOf } from './primitives.js';

export const ROLES = ['volunteer', 'scientist', 'operator'] as const;
/** `work` attaches hosts and computes; `submit` publishes apps, uploads and submits jobs; `operate` approves. */
export const SCOPES = ['work', 'submit', 'operate'] as const;
export const scope = z.enum(SCOPES).meta({
  id: 'Scope',
  description:
    '`work`: attach machines and compute. `submit`: publish apps, upload and submit jobs. `operate`: what operators do.',
});
export type Scope = z.infer<typeof scope>;

export const account = z
  .strictObject({
    id: entityId,
    name: z.string(),
    anonymous: z
      .boolean()
      .describe('Made for a machine that attached without a token; somebody may claim it.'),
    operator: z.boolean(),
    createdAt: isoInstant,
    credit: decimalString.describe(
      'Validated cycles of approved apps; with those of the anonymous accounts that its person has claimed.',
    ),
  })
  .meta({ id: 'Account' });
export type Account = z.infer<typeof account>;

export const createAccount = z
  .strictObject({
    name: displayName,
    operator: z.boolean().default(false).describe('Its tokens may have the scope `operate`.'),
  })
  .meta({ id: 'CreateAccount' });

export const createToken = z
  .strictObject({
    label: displayName.describe('What it is for, in words of your own.'),
    scopes: z.array(scope).min(1).max(SCOPES.length),
    expiresAt: isoInstant.optional().describe('Without it the token holds until it is revoked.'),
  })
  .meta({ id: 'CreateToken' });
export const token = z
  .strictObject({
    id: entityId,
    label: z.string(),
    scopes: z.array(scope),
    hostId: entityId
      .nullable()
      .describe('The machine that alone may use it; null: a person or their programs.'),
    createdAt: isoInstant,
    lastUsedAt: isoInstant.nullable().describe('To ten minutes or so; null: never.'),
    expiresAt: isoInstant.nullable().describe('null: it holds until it is revoked.'),
    revokedAt: isoInstant.nullable(),
    session: z.boolean().describe('A browser got it by signing in.'),
  })
  .meta({ id: 'Token' });
export type Token = z.infer<typeof token>;
export const createdToken = z
  .strictObject({
    token,
    secret: z
      .string()
      .describe(
        'Shown this once: the coordinator keeps only its SHA-256. Sent as `authorization: Bearer …`.',
      ),
  })
  .meta({ id: 'CreatedToken' });
export type CreatedToken = z.infer<typeof createdToken>;

/** Anonymous work becomes the caller's. */
export const claimAccount = z
  .strictObject({
    secret: z
      .string()
      .max(200)
      .describe('Of a machine of the anonymous account, as it got it when it attached.'),
  })
  .meta({ id: 'ClaimAccount' });

export const accountPage = pageOf(account);
export const tokenPage = pageOf(token);
