import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Units a partition holds: two tasks a unit are 2 to 4 GB. Partitions are made ahead of the splitter. */
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
        -- When its tickets went to the dispatch queues; null while some of them still have to.
        ticketed_at timestamptz,
        settled_at timestamptz,
        -- While awaiting-output: until when the asked host may upload.
        upload_until timestamptz,
        state unit_state NOT NULL DEFAULT 'open',
        -- Ordinals 0 .. ticketed-1 have been put on a dispatch queue; 0 .. wanted-1 are wanted.
        ticketed smallint NOT NULL DEFAULT 0,
        wanted smallint NOT NULL,
        canonical_ordinal smallint,
        params jsonb NOT NULL,
        windows jsonb NOT NULL,
        -- What an open unit cannot go on without; why a failed one failed.
        blocked text,
        failure text
      ) PARTITION BY RANGE (id);
      CREATE INDEX work_unit_by_job ON work_unit (job_id, id);
      -- First the units to ticket, in order; then those on their way, oldest first, for the sweep of lost tickets.
      CREATE INDEX work_unit_open ON work_unit (job_id, ticketed_at NULLS FIRST, id) WHERE state = 'open';
      CREATE INDEX work_unit_awaiting_output ON work_unit (upload_until) WHERE state = 'awaiting-output';

      CREATE TABLE task (
        unit_id bigint NOT NULL,
        account_id bigint NOT NULL,
        host_id bigint NOT NULL,
        -- The account, or minus the host where the job lets hosts of one account agree.
        distinct_key bigint NOT NULL,
        assigned_at timestamptz NOT NULL DEFAULT now(),
        reported_at timestamptz,
        state task_state NOT NULL DEFAULT 'in-progress',
        ordinal smallint NOT NULL,
        -- Whether it can still contribute to the quorum. Lost, aborted and infrastructure tasks stop counting.
        counts boolean NOT NULL DEFAULT true,
        credit_eligible boolean NOT NULL,
        anonymous boolean NOT NULL,
        -- Whether all outputs' bytes are here: in outputs, or as blobs.
        outputs_held boolean NOT NULL DEFAULT false,
        outcome outcome,
        network text,
        exit_code bigint,
        cycles numeric(39, 0),
        cpu_ms real,
        digest bytea,
        runtime_version text,
        trap_kind text,
        outputs jsonb,
        stderr text,
        PRIMARY KEY (unit_id, ordinal)
      ) PARTITION BY RANGE (unit_id);
      -- Two tasks of one unit never share an account, or it could outvote itself.
      CREATE UNIQUE INDEX task_distinct ON task (unit_id, distinct_key) WHERE counts;

      -- Tasks in progress, apart from the task's row: a host's tasks are counted, renewed and expired without touching
      -- partitions or making every report rewrite the task's index entries.
      CREATE TABLE lease (
        host_id bigint NOT NULL,
        unit_id bigint NOT NULL,
        -- When the task counts as lost: its deadline, or for a browser the end of its lease, if that is earlier.
        expires_at timestamptz NOT NULL,
        deadline_at timestamptz NOT NULL,
        ordinal smallint NOT NULL,
        PRIMARY KEY (host_id, unit_id, ordinal)
      ) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000);
      CREATE INDEX lease_expiry ON lease (expires_at);

      CREATE FUNCTION make_unit_partitions(up_to_unit_id bigint) RETURNS void LANGUAGE plpgsql AS $$
      DECLARE
        size constant bigint := ${UNITS_PER_PARTITION};
        n bigint := 0;
        unit_table text;
        task_table text;
      BEGIN
        IF to_regclass('work_unit_p' || up_to_unit_id / size) IS NOT NULL THEN RETURN; END IF;
        PERFORM pg_advisory_xact_lock(hashtext('make_unit_partitions'));
        FOR n IN 0 .. up_to_unit_id / size LOOP
          unit_table := 'work_unit_p' || n;
          task_table := 'task_p' || n;
          CONTINUE WHEN to_regclass(unit_table) IS NOT NULL;
          -- Attaching, unlike creating in place, lets reads and writes of the other partitions go on.
          EXECUTE format('CREATE TABLE %I (LIKE work_unit INCLUDING DEFAULTS)', unit_table);
          EXECUTE format('ALTER TABLE work_unit ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                         unit_table, n * size, (n + 1) * size);
          -- A task's row grows fourfold when its result arrives: the room left on the page keeps updates off the indexes.
          EXECUTE format('CREATE TABLE %I (LIKE task INCLUDING DEFAULTS) WITH (fillfactor = 25)', task_table);
          EXECUTE format('ALTER TABLE task ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                         task_table, n * size, (n + 1) * size);
        END LOOP;
      END $$;
      SELECT make_unit_partitions(${UNITS_PER_PARTITION - 1});

      CREATE TABLE job_tally (
        job_id bigint PRIMARY KEY CONSTRAINT job_tally_job REFERENCES job ON DELETE CASCADE,
        units_valid bigint NOT NULL DEFAULT 0,
        units_failed bigint NOT NULL DEFAULT 0,
        units_cancelled bigint NOT NULL DEFAULT 0,
        tasks bigint NOT NULL DEFAULT 0,
        cycles numeric NOT NULL DEFAULT 0
      ) WITH (fillfactor = 50);

      -- Append-only: a task earns at most once, and loses it at most once (reversal, with negative cycles).
      CREATE TABLE credit_entry (
        unit_id bigint NOT NULL,
        account_id bigint NOT NULL,
        host_id bigint NOT NULL,
        granted_at timestamptz NOT NULL DEFAULT now(),
        ordinal smallint NOT NULL,
        reversal boolean NOT NULL DEFAULT false,
        cycles numeric NOT NULL,
        PRIMARY KEY (unit_id, ordinal, reversal)
      );
      -- No index on the totals: every validated batch changes them, and boards are read seldom and cached.
      CREATE TABLE account_credit (
        account_id bigint PRIMARY KEY CONSTRAINT account_credit_account REFERENCES account,
        cycles numeric NOT NULL DEFAULT 0,
        tasks bigint NOT NULL DEFAULT 0
      ) WITH (fillfactor = 50);

      -- Credit, reliability and allowance of a host, from judged results only; kept apart from its facts because it changes
      -- with every batch.
      CREATE TABLE host_standing (
        host_id bigint PRIMARY KEY CONSTRAINT host_standing_host REFERENCES host ON DELETE CASCADE,
        credited_tasks bigint NOT NULL DEFAULT 0,
        valid_tasks bigint NOT NULL DEFAULT 0,
        invalid_tasks bigint NOT NULL DEFAULT 0,
        error_tasks bigint NOT NULL DEFAULT 0,
        allowance_per_day integer NOT NULL,
        allowance_used integer NOT NULL DEFAULT 0,
        -- UTC day that allowance_used was counted on; on any other day nothing is used yet.
        allowance_day date NOT NULL DEFAULT '1970-01-01',
        cycles numeric NOT NULL DEFAULT 0
      ) WITH (fillfactor = 50);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE host_standing, account_credit, credit_entry, job_tally, lease, task, work_unit;
      DROP FUNCTION make_unit_partitions(bigint);
      DROP SEQUENCE work_unit_id_seq;
      DROP TYPE outcome;
      DROP TYPE task_state;
      DROP TYPE unit_state;
    `);
  }
}
