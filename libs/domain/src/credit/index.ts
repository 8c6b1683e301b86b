export * from './recent-credit.js';
