export type { SwarmProcessInit } from './ipc.js';
export { SwarmNode, type JoinRequest, type SwarmNodeInit, type SwarmProgress } from './swarm-node.js';
export {
  HttpSwarmCoordinator,
  type HttpSwarmCoordinatorInit,
  type SwarmCoordinator,
} from './swarm-coordinator.js';
export { SwarmProcess, SwarmProcessEndedError } from './swarm-process.js';
