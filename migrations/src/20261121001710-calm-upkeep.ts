import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Units a partition holds; see the migration that made the first. */
const UNITS_PER_PARTITION = 1 << 22;

/** What vacuums and analyses of the tables that every task changes take, in small doses: calls wait behind anything larger. */
export class CalmUpkeep20261121001710 implements MigrationInterface {
  readonly name = 'CalmUpkeep20261121001710';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- A sample of 3,000 rows instead of 30,000, which took 0.2 to 0.4 s of a core once a minute: the statements of
      -- dispatch have one plan whatever the sample says. And longer pauses between the pages of a vacuum.
      CREATE FUNCTION calm_upkeep(of_table regclass) RETURNS void LANGUAGE plpgsql AS $$
      DECLARE
        of_column name;
      BEGIN
        FOR of_column IN SELECT attname FROM pg_attribute WHERE attrelid = of_table AND attnum > 0 AND NOT attisdropped LOOP
          EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 10', of_table, of_column);
        END LOOP;
        EXECUTE format('ALTER TABLE %s SET (autovacuum_vacuum_cost_delay = 5)', of_table);
      END $$;
      ${makeUnitPartitions('PERFORM calm_upkeep(unit_table); PERFORM calm_upkeep(task_table);')}
      SELECT calm_upkeep(inhrelid) FROM pg_inherits WHERE inhparent IN ('work_unit'::regclass, 'task'::regclass);
      SELECT calm_upkeep('credit_entry');
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ${makeUnitPartitions('')}
      DROP FUNCTION calm_upkeep(regclass);
      DO $$
      DECLARE
        of_table regclass;
        of_column name;
      BEGIN
        FOR of_table IN SELECT inhrelid FROM pg_inherits WHERE inhparent IN ('work_unit'::regclass, 'task'::regclass)
                        UNION ALL SELECT 'credit_entry'::regclass LOOP
          FOR of_column IN SELECT attname FROM pg_attribute WHERE attrelid = of_table AND attnum > 0 AND NOT attisdropped LOOP
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS DEFAULT', of_table, of_column);
          END LOOP;
          EXECUTE format('ALTER TABLE %s RESET (autovacuum_vacuum_cost_delay)', of_table);
        END LOOP;
      END $$;
    `);
  }
}

/** As the first migration of dispatch has it, with `settle` for each new pair of partitions. */
function makeUnitPartitions(settle: string): string {
  return `
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
          -- Attaching, unlike creating in place, lets reads and writes of the other partitions go on.
          EXECUTE format('CREATE TABLE %I (LIKE work_unit INCLUDING DEFAULTS)', unit_table);
          -- A task's row grows fourfold when its result arrives: the room left on the page keeps updates off the indexes.
          EXECUTE format('CREATE TABLE %I (LIKE task INCLUDING DEFAULTS) WITH (fillfactor = 25)', task_table);
          ${settle}
          EXECUTE format('ALTER TABLE work_unit ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                         unit_table, n * size, (n + 1) * size);
          EXECUTE format('ALTER TABLE task ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                         task_table, n * size, (n + 1) * size);
        END LOOP;
      END $$;`;
}
