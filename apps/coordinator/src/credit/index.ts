export { foldClaimed, lockBoard } from './board-claims.js';
export { renameOnBoards } from './board-names.js';
