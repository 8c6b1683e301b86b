/** Version of the command, which is that of the coordinator that it comes with. */
export const VERSION = '0.1.0';
