export type {
  ClaimAnswer,
  Claimant,
  ClaimRequest,
  EntryState,
  Pin,
  StickEntry,
  StickTable,
  StickTimes,
} from './contract.ts';
