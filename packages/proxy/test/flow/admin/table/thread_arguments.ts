/** How Node runs a table thread from its sources: vitest compiles for itself, but not for threads. */
export const THREAD_ARGUMENTS: readonly string[] = ['--import', 'tsx', '--conditions=limpet-source'];
