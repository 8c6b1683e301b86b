import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A person is named by the account that claimed the others, and has one row on the boards. */
export class Persons20261121001200 implements MigrationInterface {
  readonly name = 'Persons20261121001200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      UPDATE account a SET person_id = p.owner_id
        FROM (SELECT person_id, min(id) FILTER (WHERE NOT anonymous) AS owner_id FROM account
               WHERE person_id IS NOT NULL GROUP BY person_id) p
       WHERE a.person_id = p.person_id AND p.owner_id IS NOT NULL;

      -- Rows are summed where they are of the same day, week or month; older ones count for the total alone.
      CREATE TEMPORARY TABLE person_row ON COMMIT DROP AS
      SELECT person_id AS id, sum(cycles) AS cycles, sum(tasks) AS tasks, sum(recent) AS recent,
             newest_day AS day, coalesce(sum(day_cycles) FILTER (WHERE day = newest_day), 0) AS day_cycles,
             newest_week AS week, coalesce(sum(week_cycles) FILTER (WHERE week = newest_week), 0) AS week_cycles,
             newest_month AS month, coalesce(sum(month_cycles) FILTER (WHERE month = newest_month), 0) AS month_cycles
        FROM (SELECT a.person_id, b.*, max(day) OVER person AS newest_day, max(week) OVER person AS newest_week,
                     max(month) OVER person AS newest_month
                FROM board_entry b JOIN account a ON a.id = b.id
               WHERE b.kind = 'accounts' AND a.person_id IS NOT NULL WINDOW person AS (PARTITION BY a.person_id)) rows
       GROUP BY person_id, newest_day, newest_week, newest_month;
      DELETE FROM board_entry b USING account a WHERE b.kind = 'accounts' AND a.id = b.id AND a.person_id IS NOT NULL;
      DELETE FROM board_name n USING account a WHERE n.kind = 'accounts' AND a.id = n.id AND a.person_id IS NOT NULL;
      INSERT INTO board_entry (kind, id, cycles, tasks, recent, day, day_cycles, week, week_cycles, month, month_cycles)
      SELECT 'accounts', id, cycles, tasks, recent, day, day_cycles, week, week_cycles, month, month_cycles FROM person_row;
      INSERT INTO board_name (kind, id, name)
      SELECT 'accounts', a.id, a.name FROM person_row p JOIN account a ON a.id = p.id;
    `);
  }

  /** What claimed accounts earned is theirs again; in which period it was is not known any more. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      UPDATE board_entry b SET cycles = c.cycles, tasks = c.tasks
        FROM account_credit c JOIN account a ON a.id = c.account_id
       WHERE b.kind = 'accounts' AND b.id = a.id AND a.person_id = a.id;
      INSERT INTO board_entry (kind, id, cycles, tasks, recent, day, day_cycles, week, week_cycles, month, month_cycles)
      SELECT b.kind, c.account_id, c.cycles, c.tasks, 0, b.day, 0, b.week, 0, b.month, 0
        FROM account_credit c JOIN account a ON a.id = c.account_id
        JOIN board_entry b ON b.kind = 'accounts' AND b.id = a.person_id
       WHERE a.person_id <> a.id AND c.cycles > 0;
      INSERT INTO board_name (kind, id, name)
      SELECT b.kind, a.id, a.name FROM board_entry b JOIN account a ON a.id = b.id
       WHERE b.kind = 'accounts' AND a.person_id <> a.id;
      UPDATE account a SET person_id = p.least_id
        FROM (SELECT person_id, min(id) AS least_id FROM account WHERE person_id IS NOT NULL GROUP BY person_id) p
       WHERE a.person_id = p.person_id;
    `);
  }
}
