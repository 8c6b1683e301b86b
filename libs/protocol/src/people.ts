import { z } from 'zod';
import { account } from './accounts.js';
import { LIMITS } from './limits.js';
import { displayName, lineOf, plainText } from './primitives.js';

/* Signing in. A browser gets a cookie that its scripts cannot read; programs use tokens. */

/** RFC 5321 allows no longer address. */
const emailAddress = z.email().max(254);
/** NIST SP 800-63B: length counts, rules of composition do not. */
const newPassword = plainText(LIMITS.passwordLength).min(LIMITS.passwordMinLength);

export const signUp = z
  .strictObject({ name: displayName, email: emailAddress, password: newPassword })
  .meta({ id: 'SignUp' });
export type SignUp = z.infer<typeof signUp>;

export const signIn = z
  .strictObject({ email: emailAddress, password: plainText(LIMITS.passwordLength) })
  .meta({ id: 'SignIn' });
export type SignIn = z.infer<typeof signIn>;

/** Asks for a code by mail. The answer does not tell whether anybody has this address. */
export const requestPasswordReset = z
  .strictObject({ email: emailAddress })
  .meta({ id: 'RequestPasswordReset' });

export const resetPassword = z
  .strictObject({ code: lineOf(100), password: newPassword })
  .meta({ id: 'ResetPassword' });

/** Of somebody who has signed in and proves again that it is them. Their other browsers are signed out. */
export const changePassword = z
  .strictObject({ current: plainText(LIMITS.passwordLength), password: newPassword })
  .meta({ id: 'ChangePassword' });

/** Asks for a code at the new address, which does not change before that has come back. */
export const requestEmailChange = z
  .strictObject({ current: plainText(LIMITS.passwordLength), email: emailAddress })
  .meta({ id: 'RequestEmailChange' });

export const changeEmail = z.strictObject({ code: lineOf(100) }).meta({ id: 'ChangeEmail' });

/** Who has signed in with this browser. */
export const session = z
  .strictObject({
    account: account.nullable(),
    /** null: nobody has signed in, or with a token instead of a password. */
    email: z.string().nullable(),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof session>;

/* One's own account */

export const updateAccount = z.strictObject({ name: displayName }).meta({ id: 'UpdateAccount' });

/** Deleting cannot be undone: `name` repeats the account's own. */
export const deleteAccount = z.strictObject({ name: z.string().max(1000) }).meta({ id: 'DeleteAccount' });

/** How a deleted person is called wherever the ledger still names their credit. */
export const DELETED_NAME = 'deleted volunteer';
