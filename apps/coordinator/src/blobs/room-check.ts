/** Content of unknown length is written no further than this without a look at the room that is left. */
const ROOM_CHECK_BYTES = 4 * 1024 * 1024;

/**
 * Stage of a pipeline that passes content on for as long as there is room for it: others fill the same disk meanwhile.
 *
 * @param requireRoom rejects where there is none left; asked before the first byte, and every `everyBytes`
 */
export function whileThereIsRoom(
  requireRoom: () => Promise<void>,
  everyBytes = ROOM_CHECK_BYTES,
): (content: AsyncIterable<Buffer>) => AsyncGenerator<Buffer> {
  return async function* (content) {
    let untilCheckBytes = 0;
    for await (const part of content) {
      untilCheckBytes -= part.length;
      if (untilCheckBytes <= 0) {
        await requireRoom();
        untilCheckBytes = everyBytes;
      }
      yield part;
    }
  };
}
