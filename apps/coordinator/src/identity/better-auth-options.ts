import { randomBytes } from 'node:crypto';
import { LIMITS } from '@gleaner/protocol';
import type { BetterAuthOptions } from 'better-auth';

const RESET_EXPIRES_IN_SECONDS = 60 * 60;

export type SendReset = (to: string, secret: string) => Promise<void>;

/**
 * What better-auth is used for: people's e-mail addresses, passwords and reset codes. Its own sessions, cookies and HTTP
 * endpoints are not: who has proved a password gets one of our tokens. The names of tables and columns are those of the
 * migration that better-auth's `compileMigrations` wrote.
 */
export function betterAuthOptions(sendReset: SendReset) {
  return {
    appName: 'Gleaner',
    // Never used for a redirect or a cookie: nothing of its HTTP interface is served.
    baseURL: 'http://gleaner.invalid',
    secret: randomBytes(32).toString('hex'),
    telemetry: { enabled: false },
    logger: { disabled: true },
    emailAndPassword: {
      enabled: true,
      minPasswordLength: LIMITS.passwordMinLength,
      maxPasswordLength: LIMITS.passwordLength,
      resetPasswordTokenExpiresIn: RESET_EXPIRES_IN_SECONDS,
      sendResetPassword: ({ user, token }) => sendReset(user.email, token),
    },
    user: {
      modelName: 'identity_user',
      fields: { emailVerified: 'email_verified', createdAt: 'created_at', updatedAt: 'updated_at' },
    },
    session: {
      modelName: 'identity_session',
      fields: {
        expiresAt: 'expires_at',
        createdAt: 'created_at',
        updatedAt: 'updated_at',
        ipAddress: 'ip_address',
        userAgent: 'user_agent',
        userId: 'user_id',
      },
    },
    account: {
      modelName: 'identity_credential',
      fields: {
        accountId: 'account_id',
        providerId: 'provider_id',
        userId: 'user_id',
        accessToken: 'access_token',
        refreshToken: 'refresh_token',
        idToken: 'id_token',
        accessTokenExpiresAt: 'access_token_expires_at',
        refreshTokenExpiresAt: 'refresh_token_expires_at',
        createdAt: 'created_at',
        updatedAt: 'updated_at',
      },
    },
    verification: {
      modelName: 'identity_verification',
      fields: { expiresAt: 'expires_at', createdAt: 'created_at', updatedAt: 'updated_at' },
      // Whoever reads the table learns no code that still works.
      storeIdentifier: 'hashed',
    },
  } satisfies BetterAuthOptions;
}
