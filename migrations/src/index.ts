import { Foundation20261121000000 } from './20261121000000-foundation.js';
import { Dispatch20261121000100 } from './20261121000100-dispatch.js';
import { PublicFace20261121000300 } from './20261121000300-public-face.js';
import { Boards20261121000400 } from './20261121000400-boards.js';
import { Devices20261121000600 } from './20261121000600-devices.js';
import { Ledger20261121000700 } from './20261121000700-ledger.js';
import { Swarm20261121000800 } from './20261121000800-swarm.js';
import { People20261121000900 } from './20261121000900-people.js';
import { Teams20261121000910 } from './20261121000910-teams.js';
import { Statistics20261121001000 } from './20261121001000-statistics.js';
import { ShownResults20261121001010 } from './20261121001010-shown-results.js';
import { SplitProgress20261121001020 } from './20261121001020-split-progress.js';
import { BoardNames20261121001100 } from './20261121001100-board-names.js';
import { Persons20261121001200 } from './20261121001200-persons.js';
import { ReleasedHosts20261121001210 } from './20261121001210-released-hosts.js';
import { Installation20261121001300 } from './20261121001300-installation.js';
import { ClaimTurns20261121001400 } from './20261121001400-claim-turns.js';
import { HostAccounts20261121001500 } from './20261121001500-host-accounts.js';
import { DeviceNetworks20261121001650 } from './20261121001650-device-networks.js';
import { BoardCursor20261121001700 } from './20261121001700-board-cursor.js';
import { CalmUpkeep20261121001710 } from './20261121001710-calm-upkeep.js';
import { HostAllowance20261121001800 } from './20261121001800-host-allowance.js';
import { AnchorPeriods20261121001950 } from './20261121001950-anchor-periods.js';
import { BoardAnalyses20261121002000 } from './20261121002000-board-analyses.js';
import { InstallationPlace20261121002100 } from './20261121002100-installation-place.js';
import { PausedJobs20261121002200 } from './20261121002200-paused-jobs.js';
import { WorkersSeen20261122000000 } from './20261122000000-workers-seen.js';
import { UploadRoom20261123000000 } from './20261123000000-upload-room.js';
import { TeamKeepers20261123000100 } from './20261123000100-team-keepers.js';

/** All migrations, oldest first. Append only: a landed migration never changes. */
export const MIGRATIONS = [
  Foundation20261121000000,
  Dispatch20261121000100,
  PublicFace20261121000300,
  Boards20261121000400,
  Devices20261121000600,
  Ledger20261121000700,
  Swarm20261121000800,
  People20261121000900,
  Teams20261121000910,
  Statistics20261121001000,
  ShownResults20261121001010,
  SplitProgress20261121001020,
  BoardNames20261121001100,
  Persons20261121001200,
  ReleasedHosts20261121001210,
  Installation20261121001300,
  ClaimTurns20261121001400,
  HostAccounts20261121001500,
  DeviceNetworks20261121001650,
  BoardCursor20261121001700,
  CalmUpkeep20261121001710,
  HostAllowance20261121001800,
  AnchorPeriods20261121001950,
  BoardAnalyses20261121002000,
  InstallationPlace20261121002100,
  PausedJobs20261121002200,
  WorkersSeen20261122000000,
  UploadRoom20261123000000,
  TeamKeepers20261123000100,
] as const;
