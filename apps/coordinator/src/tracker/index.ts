export { SWARM_BOARD } from './board-provider.js';
export { MemoryBoard } from './memory-board.js';
export { RedisBoard } from './redis-board.js';
export type { SwarmBoard, SwarmFile, SwarmMember } from './swarm-board.js';
export { SwarmCopies } from './swarm-copies.service.js';
export { SwarmTickets } from './swarm-tickets.service.js';
export { TrackerModule } from './tracker.module.js';
export { TrafficLedger } from './traffic-ledger.service.js';
