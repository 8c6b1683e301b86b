export { ATTACHMENTS_NAME } from './attachments.js';
export { EXIT as AGENT_EXIT } from './exit-codes.js';
export { agentStatus, type AgentStatus } from './status-file.js';
