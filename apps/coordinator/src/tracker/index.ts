export { SWARM_BOARD } from './board-provider.js';
export { MemoryBoard } from './memory-board.js';
export { RedisBoard } from './redis-board.js';
export { BOARD_LIMITS, type SwarmBoard, type SwarmFile, type SwarmMember } from './swarm-board.js';
export { SwarmCopies } from './swarm-copies.service.js';
export { SwarmTickets } from './swarm-tickets.service.js';
export { TrackerModule } from './tracker.module.js';
export { TrafficLedger } from './traffic-ledger.service.js';
