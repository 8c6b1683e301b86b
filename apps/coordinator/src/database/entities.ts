import { AccountEntity } from '../accounts/account.entity.js';
import { ApiTokenEntity } from '../accounts/api-token.entity.js';
import { AppVersionEntity } from '../apps/app-version.entity.js';
import { AppEntity } from '../apps/app.entity.js';
import { AuditEntryEntity } from '../audit/audit-entry.entity.js';
import { BlobGrantEntity } from '../blobs/blob-grant.entity.js';
import { BlobReferenceEntity } from '../blobs/blob-reference.entity.js';
import { BlobEntity } from '../blobs/blob.entity.js';
import { UploadHoldEntity } from '../blobs/upload-hold.entity.js';
import { UploadRoomEntity } from '../blobs/upload-room.entity.js';
import { AccountCreditEntity } from '../credit/account-credit.entity.js';
import { CreditEntryEntity } from '../credit/credit-entry.entity.js';
import { HostStandingEntity } from '../credit/host-standing.entity.js';
import { DispatchPauseEntity } from '../dispatch/dispatch-pause.entity.js';
import { HostAllowanceEntity } from '../dispatch/host-allowance.entity.js';
import { LeaseEntity } from '../dispatch/lease.entity.js';
import { TaskEntity } from '../dispatch/task.entity.js';
import { WorkUnitEntity } from '../dispatch/work-unit.entity.js';
import { DeviceCodeEntity } from '../devices/device-code.entity.js';
import { HostEntity } from '../hosts/host.entity.js';
import { AccountIdentityEntity } from '../identity/account-identity.entity.js';
import { IdentityCredentialEntity } from '../identity/identity-credential.entity.js';
import { IdentitySessionEntity } from '../identity/identity-session.entity.js';
import { IdentityUserEntity } from '../identity/identity-user.entity.js';
import { IdentityVerificationEntity } from '../identity/identity-verification.entity.js';
import { JobEntity } from '../jobs/job.entity.js';
import { ProjectScientistEntity } from '../projects/project-scientist.entity.js';
import { ProjectEntity } from '../projects/project.entity.js';
import { BoardAnchorEntity } from '../stats/board-anchor.entity.js';
import { BoardCursorEntity } from '../stats/board-cursor.entity.js';
import { BoardEntryEntity } from '../stats/board-entry.entity.js';
import { BoardNameEntity } from '../stats/board-name.entity.js';
import { StatisticsBucketEntity } from '../stats/statistics-bucket.entity.js';
import { StatisticsCursorEntity } from '../stats/statistics-cursor.entity.js';
import { StatisticsHostEntity } from '../stats/statistics-host.entity.js';
import { InputTrafficEntity } from '../tracker/input-traffic.entity.js';
import { SwarmBarEntity } from '../tracker/swarm-bar.entity.js';
import { SwarmCertificateEntity } from '../tracker/swarm-certificate.entity.js';
import { TeamCreditEntity } from '../teams/team-credit.entity.js';
import { TeamMemberEntity } from '../teams/team-member.entity.js';
import { TeamEntity } from '../teams/team.entity.js';
import { JobTallyEntity } from '../validation/job-tally.entity.js';
import { LinkReviewEntity } from '../validation/link-review.entity.js';
import { InstallationEntity } from './installation.entity.js';

/** Every entity of the coordinator; the drift test compares them with what the migrations make. */
export const ENTITIES = [
  AccountCreditEntity,
  AccountEntity,
  AccountIdentityEntity,
  ApiTokenEntity,
  AppEntity,
  AppVersionEntity,
  AuditEntryEntity,
  BlobEntity,
  BlobGrantEntity,
  BlobReferenceEntity,
  BoardAnchorEntity,
  BoardCursorEntity,
  BoardEntryEntity,
  BoardNameEntity,
  CreditEntryEntity,
  DeviceCodeEntity,
  DispatchPauseEntity,
  HostAllowanceEntity,
  HostEntity,
  HostStandingEntity,
  IdentityCredentialEntity,
  IdentitySessionEntity,
  IdentityUserEntity,
  IdentityVerificationEntity,
  InputTrafficEntity,
  InstallationEntity,
  JobEntity,
  JobTallyEntity,
  LeaseEntity,
  LinkReviewEntity,
  ProjectEntity,
  ProjectScientistEntity,
  StatisticsBucketEntity,
  StatisticsCursorEntity,
  StatisticsHostEntity,
  SwarmBarEntity,
  SwarmCertificateEntity,
  TaskEntity,
  TeamCreditEntity,
  TeamEntity,
  TeamMemberEntity,
  UploadHoldEntity,
  UploadRoomEntity,
  WorkUnitEntity,
] as const;
