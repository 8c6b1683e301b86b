import type { Attachment } from '../attachments.js';

/** For tests: a host without a name of its own, attached to the coordinator at `url`; the first one's directory is the agent's. */
export function anAttachment(url: string, hostId: string): Attachment {
  return {
    coordinator: url,
    coordinatorName: hostId,
    hostId,
    accountId: 'account',
    anonymous: false,
    token: 'gln_x',
    p2p: false,
    attachedAt: new Date().toISOString(),
    weight: 100,
    directory: hostId === 'first' ? '.' : 'projects/0123456789abcdef',
  };
}
