export type { HistoryFacts } from '../account/history_facts.ts';
