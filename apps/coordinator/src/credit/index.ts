export { foldClaimed, lockBoard } from './board-claims.js';
export { renameOnBoards } from './board-names.js';
export { holdCredit } from './hold-credit.js';
export { personCredit } from './person-credit.js';
