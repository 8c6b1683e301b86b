import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/index.js';
import { BlobsApiModule, BlobsModule } from '../blobs/index.js';
import { HostsModule } from '../hosts/index.js';
import { boardProvider } from './board-provider.js';
import { Certificates } from './certificates.service.js';
import { HostPace } from './host-pace.js';
import { OriginDesk } from './origin-desk.service.js';
import { People } from './people.service.js';
import { Replicas } from './replicas.service.js';
import { Revocations } from './revocations.service.js';
import { SwarmCopies } from './swarm-copies.service.js';
import { SwarmFiles } from './swarm-files.service.js';
import { SwarmHooks } from './swarm-hooks.js';
import { SwarmSigner } from './swarm-signer.js';
import { SwarmTickets } from './swarm-tickets.service.js';
import { SwarmController } from './swarm.controller.js';
import { Tracker } from './tracker.service.js';
import { TrafficLedger } from './traffic-ledger.service.js';

/** The coordinator's place in the swarm: who may take part, who has what, and what the origin still has to send. */
@Module({
  imports: [AccountsModule, BlobsApiModule, BlobsModule, HostsModule],
  controllers: [SwarmController],
  providers: [
    boardProvider,
    Certificates,
    HostPace,
    OriginDesk,
    People,
    Replicas,
    Revocations,
    SwarmCopies,
    SwarmFiles,
    SwarmHooks,
    SwarmSigner,
    SwarmTickets,
    Tracker,
    TrafficLedger,
  ],
  exports: [SwarmCopies, SwarmTickets],
})
export class TrackerModule {}
