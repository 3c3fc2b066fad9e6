import type {
  BackendAnswer,
  ClientFacts,
  EntryPage,
  FrontendFacts,
  ImportReport,
  InfoFacts,
  PeerFacts,
  ReloadReport,
  ServerAnswer,
  Snake,
  TaskFacts,
  WorkerFacts,
} from '@limpet/proxy';

/** The proxy's JSON (`/api/v1`), as it comes. */
export type Info = Snake<InfoFacts>;
export type Peer = Snake<PeerFacts>;
export type Frontend = Snake<FrontendFacts>;
export type Backend = Snake<BackendAnswer>;
export type Server = Snake<ServerAnswer>;
export type Worker = Snake<WorkerFacts>;
export type Task = Snake<TaskFacts>;
export type Client = Snake<ClientFacts>;
export type Session = Client['sessions'][number];
export type TablePage = Snake<EntryPage>;
export type Entry = TablePage['entries'][number];
export type Imported = Snake<ImportReport>;
export type Reloaded = Snake<ReloadReport>;

/** What `limpet status` and `limpet top` look at, as it was at one moment. */
export interface Overview {
  readonly info: Info;
  readonly frontends: readonly Frontend[];
  readonly backends: readonly Backend[];
  readonly workers: readonly Worker[];
  readonly tasks: readonly Task[];
  /** All that share the state, this one first. */
  readonly proxies: readonly Peer[];
}
