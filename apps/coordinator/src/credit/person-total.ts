/**
 * SQL for what the person of account `a` has earned, where `c` is the account's own `account_credit`: with everything that
 * they claimed. Entries and totals stay with the account that earned them.
 */
export function personTotal(column: 'cycles' | 'tasks'): string {
  return `CASE WHEN a.person_id IS NULL THEN c.${column} ELSE (
    SELECT sum(claimed.${column}) FROM account other JOIN account_credit claimed ON claimed.account_id = other.id
     WHERE other.person_id = a.person_id) END`;
}
