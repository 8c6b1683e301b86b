export { AuthError, type AuthFault } from './auth-error.js';
export {
  AUTH_PROTOCOL,
  authenticateLink,
  type AuthenticatedLink,
  type HandshakeInit,
  type ShownCertificate,
} from './handshake.js';
export { blindPseudonym, PSEUDONYM_DIGITS } from './host-pseudonym.js';
export {
  createPeerIdentity,
  keyOfPeerId,
  peerIdentityOf,
  peerIdOfKey,
  type PeerIdentity,
} from './peer-identity.js';
export { RecordJudge } from './record-judge.js';
export {
  createPeerRecord,
  encodePeerRecord,
  encodeTicket,
  judgePeerRecord,
  judgeTicket,
  requireValidCertificate,
  signBody,
  type TrustRoot,
} from './signed.js';
