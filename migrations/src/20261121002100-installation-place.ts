import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Units a partition holds; see the migration that made the first. */
const UNITS_PER_PARTITION = 1 << 22;

/** Where the database lies, by which one that was restored is known, and partitions that may leave units out. */
export class InstallationPlace20261121002100 implements MigrationInterface {
  readonly name = 'InstallationPlace20261121002100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE installation ADD COLUMN place text;

      CREATE FUNCTION make_unit_partition(n bigint) RETURNS void LANGUAGE plpgsql AS $$
      DECLARE
        size constant bigint := ${UNITS_PER_PARTITION};
        unit_table text := 'work_unit_p' || n;
        task_table text := 'task_p' || n;
      BEGIN
        ${MAKE_PAIR}
      END $$;

      -- Behind the newest one: what ids were left out before it has none.
      CREATE OR REPLACE FUNCTION make_unit_partitions(up_to_unit_id bigint) RETURNS void LANGUAGE plpgsql AS $$
      DECLARE
        size constant bigint := ${UNITS_PER_PARTITION};
        newest bigint;
      BEGIN
        IF to_regclass('work_unit_p' || up_to_unit_id / size) IS NOT NULL THEN RETURN; END IF;
        PERFORM pg_advisory_xact_lock(hashtext('make_unit_partitions'));
        SELECT max(substring(c.relname FROM '\\d+$')::bigint) INTO newest
          FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'work_unit'::regclass;
        PERFORM make_unit_partition(n) FROM generate_series(coalesce(newest, -1) + 1, up_to_unit_id / size) n;
      END $$;

      -- The next unit's id is so many further on. Takes turns with those who draw ids.
      CREATE FUNCTION leave_unit_ids_out(ids bigint) RETURNS void LANGUAGE plpgsql AS $$
      DECLARE
        size constant bigint := ${UNITS_PER_PARTITION};
        last bigint;
      BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('work_unit_id_seq')), pg_advisory_xact_lock(hashtext('make_unit_partitions'));
        SELECT last_value + ids INTO last FROM work_unit_id_seq;
        PERFORM setval('work_unit_id_seq', last);
        IF to_regclass('work_unit_p' || (last + 1) / size) IS NULL THEN PERFORM make_unit_partition((last + 1) / size); END IF;
      END $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP FUNCTION leave_unit_ids_out(bigint), make_unit_partition(bigint);
      -- As the migration before has it.
      CREATE OR REPLACE FUNCTION make_unit_partitions(up_to_unit_id bigint) RETURNS void LANGUAGE plpgsql AS $$
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
          ${MAKE_PAIR}
        END LOOP;
      END $$;
      ALTER TABLE installation DROP COLUMN place;
    `);
  }
}

const MAKE_PAIR = `
          -- Attaching, unlike creating in place, lets reads and writes of the other partitions go on.
          EXECUTE format('CREATE TABLE %I (LIKE work_unit INCLUDING DEFAULTS)', unit_table);
          -- A task's row grows fourfold when its result arrives: the room left on the page keeps updates off the indexes.
          EXECUTE format('CREATE TABLE %I (LIKE task INCLUDING DEFAULTS) WITH (fillfactor = 25)', task_table);
          PERFORM calm_upkeep(unit_table); PERFORM calm_upkeep(task_table);
          EXECUTE format('ALTER TABLE work_unit ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                         unit_table, n * size, (n + 1) * size);
          EXECUTE format('ALTER TABLE task ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                         task_table, n * size, (n + 1) * size);`;
