import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People who sign in with an e-mail address, what they wish of their hosts from afar, and the operator's main switch. */
export class People20261121000900 implements MigrationInterface {
  readonly name = 'People20261121000900';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The tables of better-auth, as its compileMigrations() writes them for our names; constraints named.
      CREATE TABLE identity_user (
        id text NOT NULL PRIMARY KEY,
        name text NOT NULL,
        email text NOT NULL CONSTRAINT identity_user_email UNIQUE,
        email_verified boolean NOT NULL,
        image text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE TABLE identity_session (
        id text NOT NULL PRIMARY KEY,
        expires_at timestamptz NOT NULL,
        token text NOT NULL CONSTRAINT identity_session_token UNIQUE,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL,
        ip_address text,
        user_agent text,
        user_id text NOT NULL CONSTRAINT identity_session_user REFERENCES identity_user ON DELETE CASCADE
      );
      CREATE INDEX identity_session_by_user ON identity_session (user_id);
      CREATE TABLE identity_credential (
        id text NOT NULL PRIMARY KEY,
        account_id text NOT NULL,
        provider_id text NOT NULL,
        user_id text NOT NULL CONSTRAINT identity_credential_user REFERENCES identity_user ON DELETE CASCADE,
        access_token text,
        refresh_token text,
        id_token text,
        access_token_expires_at timestamptz,
        refresh_token_expires_at timestamptz,
        scope text,
        password text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL
      );
      CREATE INDEX identity_credential_by_user ON identity_credential (user_id);
      CREATE TABLE identity_verification (
        id text NOT NULL PRIMARY KEY,
        identifier text NOT NULL,
        value text NOT NULL,
        expires_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX identity_verification_identifier ON identity_verification (identifier);

      -- Whose account an identity is. Accounts that operators make have none.
      CREATE TABLE account_identity (
        account_id bigint PRIMARY KEY CONSTRAINT account_identity_account REFERENCES account,
        user_id text NOT NULL CONSTRAINT account_identity_user_once UNIQUE
          CONSTRAINT account_identity_user REFERENCES identity_user ON DELETE CASCADE
      );

      -- Tokens that a browser got by signing in end together when the password is reset.
      ALTER TABLE api_token ADD COLUMN session boolean NOT NULL DEFAULT false;

      -- What the owner wishes of the host from afar; the version grows with each change.
      ALTER TABLE host ADD COLUMN wished_run text NOT NULL DEFAULT 'run',
                       ADD COLUMN wished_preferences jsonb,
                       ADD COLUMN wishes_version integer NOT NULL DEFAULT 0;
      -- Hosts that wait for an operator's review are few.
      CREATE INDEX host_held ON host (id) WHERE held_reason IS NOT NULL AND detached_at IS NULL;

      -- Its only row is there while an operator has paused all dispatch.
      CREATE TABLE dispatch_pause (
        id integer PRIMARY KEY CONSTRAINT dispatch_pause_one CHECK (id = 1),
        reason text NOT NULL,
        since timestamptz NOT NULL DEFAULT now(),
        account_id bigint NOT NULL CONSTRAINT dispatch_pause_account REFERENCES account
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE dispatch_pause;
      DROP INDEX host_held;
      ALTER TABLE host DROP COLUMN wished_run, DROP COLUMN wished_preferences, DROP COLUMN wishes_version;
      ALTER TABLE api_token DROP COLUMN session;
      DROP TABLE account_identity, identity_verification, identity_credential, identity_session, identity_user;
    `);
  }
}
