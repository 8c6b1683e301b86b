import { expect, it } from 'vitest';
import { PictureOfTask } from './picture-of-task';

it('shows one task until it ends, then another', () => {
  const picture = new PictureOfTask();
  expect(picture.frame('1')).toBe(true);
  expect(picture.frame('2')).toBe(false);
  picture.finished('2');
  expect(picture.frame('1')).toBe(true);
  picture.finished('1');
  expect(picture.frame('3')).toBe(true);
});

it('notices that an app shows nothing, and that another one does', () => {
  const picture = new PictureOfTask();
  expect(picture.isBlank).toBe(false);
  for (let each = 0; each < 5; each += 1) picture.progress();
  expect(picture.isBlank).toBe(true);
  picture.frame('2');
  expect(picture.isBlank).toBe(false);
  for (let each = 0; each < 50; each += 1) picture.progress();
  expect(picture.isBlank).toBe(false);
});
