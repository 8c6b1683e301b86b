/** Every entity of the coordinator; the drift test compares them with what the migrations make. */
export const ENTITIES = [] as const;
