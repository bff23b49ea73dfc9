import { type Doc, getState } from "yjs";

/** A number under which Yjs knows a writer, and how far that has come in a document. */
interface Writer {
  readonly client: number;
  readonly clock: number;
}

/** So many documents are remembered, those used last, and so many writers of each. */
const mostDocuments = 1000;
const mostWriters = 8;

/** Writers of this process that write nothing now, by document. */
const idle: Map<string, Writer[]> = new Map();

/**
 * Takes a number for a change by the server: one that this process has used before, for a document keeps every
 * number for ever (SPEC YJ9). Only where the document is as that one has left it: a document that was put back
 * to a backup would get other changes under numbers that clients know already. Two changes at a time have two.
 *
 * @param id Of the document.
 * @param doc Its content, which gets the number.
 * @returns Gives it back, once what it has written is in the document, or is certain not to be.
 */
export function takeNumber(id: string, doc: Doc): (isWritten: boolean) => void {
  const writers = idle.get(id) ?? [];
  const at = writers.findIndex(({ client, clock }) => getState(doc.store, client) === clock);
  const [taken] = at < 0 ? [] : writers.splice(at, 1);
  if (taken !== undefined) doc.clientID = taken.client;
  const client = doc.clientID;
  const before = getState(doc.store, client);
  return (isWritten) => {
    const clock = isWritten ? getState(doc.store, client) : before;
    const others = idle.get(id) ?? [];
    idle.delete(id);
    idle.set(id, [{ client, clock }, ...others].slice(0, mostWriters));
    if (idle.size > mostDocuments) idle.delete(idle.keys().next().value!);
  };
}
