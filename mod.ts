/**
 * Server state that holds fast: the state of a browser session survives navigation, crashes and
 * deploys, and dies with the session.
 *
 * @module
 */
export type { ClusterOptions } from "./adapters/web/cluster_root.ts";
export {
  type CloseReport,
  type ClusterNodes,
  createHoldfast,
  type Holdfast,
  type HoldfastOptions,
} from "./adapters/web/holdfast.ts";
export type { OpenSession } from "./adapters/web/opened.ts";
export type { CookieOptions } from "./adapters/web/cookies.ts";
export { type HandleOptions, handleSession, withCookie } from "./adapters/web/handle.ts";
export type { HoldfastLimits } from "./adapters/web/limits.ts";
export type { AlarmOptions } from "./adapters/web/object_root.ts";
export {
  ConflictError,
  type ErrorCode,
  HoldfastError,
  type HoldfastErrorOptions,
  InvalidArgumentsError,
  InvalidStateError,
  InvalidValueError,
  type Problem,
  StorageUnavailableError,
  TooLargeError,
} from "./src/core/errors.ts";
export type { PlainState, StoredKey } from "./src/core/inference.ts";
export type { JsonObject, JsonValue } from "./src/core/json.ts";
export type {
  StandardIssue,
  StandardProps,
  StandardResult,
  StandardSchema,
} from "./src/core/schema.ts";
export { type Mount, type Scope, survives } from "./src/core/scope.ts";
export type { Secret } from "./src/core/secret.ts";
export type { Lifetime } from "./src/core/ttl.ts";
export type { Migrate } from "./src/core/vsn.ts";
export type { DocumentRootOptions } from "./adapters/web/document_root.ts";
export type { DocumentClient, JoinOptions, Membership } from "./src/document/client.ts";
export { colorFor } from "./src/document/color.ts";
export { defineDocument, type DocumentOptions } from "./src/document/definition.ts";
export type { DocumentFrame, Outgoing, Present } from "./src/document/frame.ts";
export type { Deliver } from "./src/document/members.ts";
export type {
  Access,
  AnyDocumentDefinition,
  Applied,
  Apply,
  ApplyContext,
  Authorize,
  CatchUp,
  DocumentDefinition,
  DocumentInfo,
  DocumentSpec,
  HistoryOptions,
  LogEntry,
  MutateAnswer,
  MutateOptions,
  PartsOf,
} from "./src/document/model.ts";
export { isKey, keyBetween } from "./src/document/fractional.ts";
export {
  childrenOf,
  type Tree,
  treeDocument,
  type TreeNode,
  type TreeOp,
  type TreeOptions,
} from "./src/document/tree.ts";
export type { CallOptions } from "./src/object/calls.ts";
export { defineObject, type ObjectOptions } from "./src/object/definition.ts";
export type {
  FireReport,
  ListObjectsOptions,
  ObjectAlarms,
  ObjectPage,
  Objects,
  StoredSnapshot,
} from "./src/object/inventory.ts";
export type {
  AlarmHandler,
  AlarmInfo,
  AnyObjectDefinition,
  CallObject,
  Handler,
  HandlerArgs,
  HandlerOptions,
  HandlerReply,
  ObjectClient,
  ObjectContext,
  ObjectDefinition,
  ObjectHook,
  ParkedAlarm,
  RunHandler,
  ScheduledAlarm,
} from "./src/object/model.ts";
export type { Clock, TimerOptions } from "./src/ports/clock.ts";
export type {
  Cluster,
  ClusterLink,
  ClusterReceiver,
  ClusterReply,
  Unanswered,
} from "./src/ports/cluster.ts";
export type { Hmac } from "./src/ports/hmac.ts";
export type { Random } from "./src/ports/random.ts";
export type {
  DeleteOptions,
  DeleteResult,
  ListOptions,
  PutOptions,
  PutResult,
  Storage,
  StorageCallOptions,
  Stored,
} from "./src/ports/storage.ts";
export type {
  AlarmEvent,
  Around,
  CallEvent,
  DocumentEvent,
  InspectorEvent,
  LiveViewEvent,
  ObjectEvent,
  OriginEvent,
  SessionEvent,
  StashEvent,
  StorageEvent,
  SyncFailEvent,
  SyncInvalidateEvent,
  SyncLoadEvent,
  SyncRole,
  SyncRoleEvent,
  SyncSlotEvent,
  SyncStreamEvent,
  Telemetry,
  TelemetryEvent,
} from "./src/ports/telemetry.ts";
export { defineStash, type StashDefinition, type StashOptions } from "./src/stash/definition.ts";
export type { Stash } from "./src/stash/handle.ts";
export type { RotateOptions, Session, SessionOptions, StashUse } from "./src/stash/session.ts";
export type { StashStatus } from "./src/stash/slices.ts";
export type { SweepOptions, SweepReason, SweepReport } from "./src/stash/sweep.ts";
