/** The first bytes of a module, and the form of a function's type: what reader and writer of the format share. */
export const MAGIC_AND_VERSION = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
export const FUNCTION_TYPE_FORM = 0x60;
