export { HostEvents, type HostDetachedListener } from './host-events.js';
export { HostEntity } from './host.entity.js';
export { HostsModule } from './hosts.module.js';
export { HostsService, type Attachment } from './hosts.service.js';
