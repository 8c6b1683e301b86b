import type { EntityManager } from 'typeorm';
import { holdCredit } from '../credit/index.js';
import { TeamMemberEntity } from './team-member.entity.js';

/**
 * What a claimed account has earned by now is its claimer's from now on, but not what they did for their team: that is what
 * is earned while one is a member. The claimer's account is locked: nobody joins or leaves meanwhile.
 */
export async function keepOutOfTeam(
  manager: EntityManager,
  claimerId: string,
  claimedId: string,
): Promise<void> {
  if (!(await manager.existsBy(TeamMemberEntity, { accountId: claimerId }))) return;
  await holdCredit(manager);
  await manager.query(
    `UPDATE team_member m SET cycles_before = m.cycles_before + c.cycles
       FROM account_credit c WHERE m.account_id = $1 AND c.account_id = $2`,
    [claimerId, claimedId],
  );
}
