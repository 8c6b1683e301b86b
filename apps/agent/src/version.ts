/** Version of the agent, told to the coordinator at attachment. */
export const AGENT_VERSION = '0.1.0';
