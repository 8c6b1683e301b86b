/** SQL for what the person of the account `id` has earned: with that account, and with those that they claimed. */
export function personCredit(id: string): string {
  return `coalesce((SELECT sum(own_credit.cycles) FROM account own JOIN account_credit own_credit ON own_credit.account_id = own.id
                     WHERE own.id = ${id} OR own.person_id = ${id}), 0)`;
}
