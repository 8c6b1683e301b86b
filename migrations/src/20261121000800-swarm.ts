import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who may take part in the swarm, and what it saved. Who has which chunks is kept elsewhere: in Redis or in memory. */
export class Swarm20261121000800 implements MigrationInterface {
  readonly name = 'Swarm20261121000800';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE swarm_certificate (
        serial text PRIMARY KEY,
        host_id bigint NOT NULL CONSTRAINT swarm_certificate_host REFERENCES host,
        token_id bigint NOT NULL,
        peer_id text NOT NULL,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz
      );
      CREATE INDEX swarm_certificate_by_host ON swarm_certificate (host_id);
      CREATE INDEX swarm_certificate_by_token ON swarm_certificate (token_id);
      CREATE INDEX swarm_certificate_expires ON swarm_certificate (expires_at);
      CREATE INDEX swarm_certificate_revoked ON swarm_certificate (revoked_at) WHERE revoked_at IS NOT NULL;

      CREATE TABLE swarm_bar (
        host_id bigint PRIMARY KEY CONSTRAINT swarm_bar_host REFERENCES host,
        reason text NOT NULL,
        until timestamptz NOT NULL
      );

      CREATE TABLE input_traffic (
        job_id bigint NOT NULL CONSTRAINT input_traffic_job REFERENCES job,
        sha256 bytea NOT NULL,
        saved_bytes bigint NOT NULL DEFAULT 0,
        origin_bytes bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (job_id, sha256)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE input_traffic, swarm_bar, swarm_certificate');
  }
}
