import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Units a partition holds. Partitions are made ahead of the splitter and dropped when all their units are long settled. */
const UNITS_PER_PARTITION = 1 << 22;

/** Work units, tasks and credit: everything that grows with the work. */
export class Dispatch20261121000100 implements MigrationInterface {
  readonly name = 'Dispatch20261121000100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TYPE unit_state AS ENUM ('open', 'awaiting-output', 'valid', 'failed', 'cancelled');
      CREATE TYPE task_state AS ENUM ('in-progress', 'reported', 'valid', 'invalid', 'error', 'lost', 'aborted');
      CREATE TYPE outcome AS ENUM ('ok', 'exit', 'trap', 'cycle-limit', 'output-limit', 'infrastructure');

      CREATE SEQUENCE work_unit_id_seq;

      CREATE TABLE work_unit (
        id bigint NOT NULL PRIMARY KEY,
        job_id bigint NOT NULL,
        index_in_job bigint NOT NULL,
        state unit_state NOT NULL DEFAULT 'open',
        params jsonb NOT NULL,
        windows jsonb NOT NULL,
        -- Ordinals 0 .. ticketed-1 have been put on a dispatch queue; 0 .. wanted-1 are wanted.
        ticketed smallint NOT NULL DEFAULT 0,
        wanted smallint NOT NULL,
        ticketed_at timestamptz,
        canonical_ordinal smallint,
        blocked text,
        settled_at timestamptz
      ) PARTITION BY RANGE (id);
      CREATE INDEX work_unit_by_job ON work_unit (job_id, id);
      CREATE INDEX work_unit_to_ticket ON work_unit (job_id, id) WHERE state = 'open' AND ticketed < wanted;
      CREATE INDEX work_unit_awaiting_output ON work_unit (id) WHERE state = 'awaiting-output';

      CREATE TABLE task (
        unit_id bigint NOT NULL,
        ordinal smallint NOT NULL,
        account_id bigint NOT NULL,
        host_id bigint NOT NULL,
        -- The account, or minus the host where the job lets hosts of one account agree.
        distinct_key bigint NOT NULL,
        -- Whether it can still contribute to the quorum. Lost, aborted and infrastructure tasks stop counting.
        counts boolean NOT NULL DEFAULT true,
        state task_state NOT NULL DEFAULT 'in-progress',
        anonymous boolean NOT NULL,
        network text,
        assigned_at timestamptz NOT NULL DEFAULT now(),
        deadline_at timestamptz NOT NULL,
        reported_at timestamptz,
        outcome outcome,
        exit_code bigint,
        trap_kind text,
        cycles numeric(39, 0),
        digest bytea,
        outputs jsonb,
        stderr text,
        cpu_ms real,
        PRIMARY KEY (unit_id, ordinal)
      ) PARTITION BY RANGE (unit_id);
      -- Two tasks of one unit never share an account, or it could outvote itself.
      CREATE UNIQUE INDEX task_distinct ON task (unit_id, distinct_key) WHERE counts;
      CREATE INDEX task_deadline ON task (deadline_at) WHERE state = 'in-progress';
      CREATE INDEX task_in_progress ON task (host_id) WHERE state = 'in-progress';
      CREATE INDEX task_reported ON task (unit_id) WHERE state = 'reported';

      CREATE TABLE work_unit_p0 PARTITION OF work_unit FOR VALUES FROM (0) TO (${UNITS_PER_PARTITION});
      CREATE TABLE task_p0 PARTITION OF task FOR VALUES FROM (0) TO (${UNITS_PER_PARTITION});

      CREATE TABLE job_tally (
        job_id bigint PRIMARY KEY CONSTRAINT job_tally_job REFERENCES job ON DELETE CASCADE,
        units_valid bigint NOT NULL DEFAULT 0,
        units_failed bigint NOT NULL DEFAULT 0,
        units_cancelled bigint NOT NULL DEFAULT 0,
        tasks bigint NOT NULL DEFAULT 0,
        cycles numeric NOT NULL DEFAULT 0
      ) WITH (fillfactor = 50);

      CREATE TABLE credit_entry (
        unit_id bigint NOT NULL,
        ordinal smallint NOT NULL,
        account_id bigint NOT NULL,
        host_id bigint NOT NULL,
        cycles numeric NOT NULL,
        granted_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (unit_id, ordinal)
      );
      CREATE TABLE account_credit (
        account_id bigint PRIMARY KEY CONSTRAINT account_credit_account REFERENCES account,
        cycles numeric NOT NULL DEFAULT 0,
        tasks bigint NOT NULL DEFAULT 0
      ) WITH (fillfactor = 70);
      CREATE INDEX account_credit_board ON account_credit (cycles DESC, account_id);
      CREATE TABLE host_credit (
        host_id bigint PRIMARY KEY CONSTRAINT host_credit_host REFERENCES host,
        cycles numeric NOT NULL DEFAULT 0,
        tasks bigint NOT NULL DEFAULT 0
      ) WITH (fillfactor = 70);
      CREATE INDEX host_credit_board ON host_credit (cycles DESC, host_id);

      -- Reliability and allowance of a host, from judged results only; kept apart from its facts because it changes with every batch.
      CREATE TABLE host_standing (
        host_id bigint PRIMARY KEY CONSTRAINT host_standing_host REFERENCES host ON DELETE CASCADE,
        valid_tasks bigint NOT NULL DEFAULT 0,
        invalid_tasks bigint NOT NULL DEFAULT 0,
        error_tasks bigint NOT NULL DEFAULT 0,
        allowance_per_day integer NOT NULL,
        allowance_day date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
        allowance_used integer NOT NULL DEFAULT 0
      ) WITH (fillfactor = 70);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE host_standing, host_credit, account_credit, credit_entry, job_tally, task, work_unit;
      DROP SEQUENCE work_unit_id_seq;
      DROP TYPE outcome;
      DROP TYPE task_state;
      DROP TYPE unit_state;
    `);
  }
}
