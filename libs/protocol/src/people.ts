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

export const requestPasswordReset = z
  .strictObject({ email: emailAddress.describe('The answer does not tell whether anybody has it.') })
  .meta({ id: 'RequestPasswordReset' });

export const resetPassword = z
  .strictObject({ code: lineOf(100).describe('From the e-mail.'), password: newPassword })
  .meta({ id: 'ResetPassword' });

/** Of somebody who has signed in and proves again that it is them. Their other browsers are signed out. */
export const changePassword = z
  .strictObject({
    current: plainText(LIMITS.passwordLength).describe('The password of now.'),
    password: newPassword.describe('The new one; other browsers are signed out.'),
  })
  .meta({ id: 'ChangePassword' });

/** Asks for a code at the new address, which does not change before that has come back. */
export const requestEmailChange = z
  .strictObject({
    current: plainText(LIMITS.passwordLength).describe('The password.'),
    email: emailAddress.describe(
      'The new address, which takes effect when the code sent to it has come back.',
    ),
  })
  .meta({ id: 'RequestEmailChange' });

export const changeEmail = z
  .strictObject({ code: lineOf(100).describe('From the e-mail to the new address.') })
  .meta({ id: 'ChangeEmail' });

/** Who has signed in with this browser. */
export const session = z
  .strictObject({
    account: account.nullable().describe('null: nobody has signed in.'),
    email: z
      .string()
      .nullable()
      .describe('null: nobody has signed in, or with a token instead of a password.'),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof session>;

/* One's own account */

export const updateAccount = z.strictObject({ name: displayName }).meta({ id: 'UpdateAccount' });

/** Deleting cannot be undone. */
export const deleteAccount = z
  .strictObject({
    name: z.string().max(1000).describe("The account's own name once more: there is no way back."),
  })
  .meta({ id: 'DeleteAccount' });

/** How a deleted person is called wherever the ledger still names their credit. */
export const DELETED_NAME = 'deleted volunteer';
