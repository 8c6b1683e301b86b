export type { SharedFileRequest, SwarmProcessInit } from './ipc.js';
export type { JoinRequest } from './shared-file.js';
export { SwarmNode } from './swarm-node.js';
export type { SwarmNodeInit, SwarmProgress } from './swarm-node-init.js';
export {
  HttpSwarmCoordinator,
  type HttpSwarmCoordinatorInit,
  type SwarmCoordinator,
} from './swarm-coordinator.js';
export {
  nodeProcessOptions,
  SwarmProcess,
  SwarmProcessEndedError,
  type SwarmProcessEvents,
} from './swarm-process.js';
export type { SwarmMemory } from './swarm-memory.js';
export type { FileTraffic } from './traffic-book.js';
