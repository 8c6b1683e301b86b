export { countEndedTasks, type EndedTasks } from './ended-tasks.js';
export { HostEvents, type HostChangedListener, type HostDetachedListener } from './host-events.js';
export { PUBLIC_NAME, wishesOf } from './host-rows.js';
export { HostEntity } from './host.entity.js';
export { HostsModule } from './hosts.module.js';
export { HostsService, type Attachment } from './hosts.service.js';
