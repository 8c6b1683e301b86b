export * from './upload-room.js';
