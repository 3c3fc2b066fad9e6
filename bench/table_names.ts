/**
 * The operations of a stick table, in the order in which they are measured. For both sides of `table_load.ts`.
 */
export const operationNames = ['claim, new', 'confirm', 'claim, held', 'renew', 'release'] as const;
export type OperationName = (typeof operationNames)[number];
