import { z } from 'zod';
import { decimalString, displayName, entityId, isoInstant, pageOf } from './primitives.js';

export const ROLES = ['volunteer', 'scientist', 'operator'] as const;
/** `work` attaches hosts and computes; `submit` publishes apps, uploads and submits jobs; `operate` approves. */
export const SCOPES = ['work', 'submit', 'operate'] as const;
export const scope = z.enum(SCOPES).meta({ id: 'Scope' });
export type Scope = z.infer<typeof scope>;

export const account = z
  .strictObject({
    id: entityId,
    name: z.string(),
    anonymous: z.boolean(),
    operator: z.boolean(),
    createdAt: isoInstant,
    /** Validated cycles of approved apps; those of all accounts of its person, claimed ones included. */
    credit: decimalString,
  })
  .meta({ id: 'Account' });
export type Account = z.infer<typeof account>;

export const createAccount = z
  .strictObject({ name: displayName, operator: z.boolean().default(false) })
  .meta({ id: 'CreateAccount' });

export const createToken = z
  .strictObject({
    label: displayName,
    scopes: z.array(scope).min(1).max(SCOPES.length),
    expiresAt: isoInstant.optional(),
  })
  .meta({ id: 'CreateToken' });
export const token = z
  .strictObject({
    id: entityId,
    label: z.string(),
    scopes: z.array(scope),
    hostId: entityId.nullable(),
    createdAt: isoInstant,
    lastUsedAt: isoInstant.nullable(),
    expiresAt: isoInstant.nullable(),
    revokedAt: isoInstant.nullable(),
    /** A browser got it by signing in. */
    session: z.boolean(),
  })
  .meta({ id: 'Token' });
export type Token = z.infer<typeof token>;
/** The secret is shown once; the coordinator keeps its SHA-256. */
export const createdToken = z.strictObject({ token, secret: z.string() }).meta({ id: 'CreatedToken' });
export type CreatedToken = z.infer<typeof createdToken>;

/** Anonymous work becomes the caller's: `secret` is the host token of the anonymous account. */
export const claimAccount = z.strictObject({ secret: z.string().max(200) }).meta({ id: 'ClaimAccount' });

export const accountPage = pageOf(account);
export const tokenPage = pageOf(token);
