export { foldClaimed, lockBoard, takeBoard } from './board-claims.js';
export { renameOnBoards } from './board-names.js';
export { holdCredit } from './hold-credit.js';
export { lockBriefly } from './lock-briefly.js';
export { personCredit } from './person-credit.js';
