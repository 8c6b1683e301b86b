export { ClaimDesk, type DeskClaim } from './claim-desk.service.js';
export { DispatchPauses } from './dispatch-pauses.service.js';
export { DispatchPausesModule } from './dispatch-pauses.module.js';
export { DispatchModule, type DispatchRole } from './dispatch.module.js';
export { FillService } from './fill.service.js';
export { JobDirectory } from './job-directory.js';
export { LeasesService } from './leases.service.js';
export { SweepService } from './sweep.service.js';
export { TicketFeeder } from './ticket-feeder.service.js';
