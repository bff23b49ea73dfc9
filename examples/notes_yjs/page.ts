/** The page: an editor on a document of Yjs, who is here, and how the connection is. */
import { colorFor } from "holdfast";
import { connectYjs, type YjsSnapshot } from "holdfast/yjs-client";
import { keymap } from "@codemirror/view";
import { basicSetup, EditorView } from "codemirror";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import { Doc } from "yjs";

const element = (id: string): HTMLElement => document.getElementById(id) as HTMLElement;
const place = element("editor");
const name = place.dataset["name"] ?? "";

const url = new URL("/notes", location.href);
url.protocol = url.protocol.replace("http", "ws");
const notes = connectYjs({
  doc: new Doc(),
  url: url.href,
  // What is typed without a connection survives a reload. Each tab keeps its own.
  keep: {
    load: () => sessionStorage.getItem("unsaved notes"),
    save: (text) =>
      text === null
        ? sessionStorage.removeItem("unsaved notes")
        : sessionStorage.setItem("unsaved notes", text),
  },
});
const color = colorFor(String(notes.doc.clientID));
notes.awareness.setLocalStateField("user", { name: name || "Reader", color, colorLight: color });

const words: Readonly<Record<YjsSnapshot["status"], string>> = {
  connecting: "Connecting …",
  connected: "Saved",
  offline: "Offline: what you type is kept in this browser",
  replaced: "Open in another tab",
  stopped: "Not connected: load the page again",
};

let loadsAgain = false;

/** The server is of another version than the page: at most once a minute, for it may meet an old one again. */
function loadAgain(): void {
  if (loadsAgain) return;
  loadsAgain = true;
  const last = Number(sessionStorage.getItem("loaded again") ?? 0);
  setTimeout(() => {
    sessionStorage.setItem("loaded again", String(Date.now()));
    location.reload();
  }, Math.max(0, last + 60_000 - Date.now()));
}

function showStatus(): void {
  const { status, reason, unsaved, refused, synced } = notes.getSnapshot();
  if (status === "stopped" && reason === "4426") loadAgain();
  if (synced && place.firstElementChild?.tagName === "PRE") openEditor();
  const saving = status === "connected" && unsaved ? "Saving …" : words[status];
  element("status").textContent = refused === undefined ? saving : `Not saved: ${refused}`;
}

function showCrew(): void {
  const names = [...notes.awareness.getStates()].map(([number, { ["user"]: user }]) => {
    const item = document.createElement("li");
    item.textContent = number === notes.doc.clientID ? `${user?.name} (you)` : user?.name ?? "";
    item.style.setProperty("--who", colorFor(String(number)));
    return item;
  });
  element("crew").replaceChildren(...names);
}

/** Takes the place of the text that came with the page, once there is more than that. */
function openEditor(): void {
  place.replaceChildren();
  new EditorView({
    parent: place,
    extensions: [
      // Before the editor's own undo, which would take back what others have written.
      keymap.of(yUndoManagerKeymap),
      basicSetup,
      EditorView.lineWrapping,
      EditorView.editable.of(name !== ""),
      EditorView.contentAttributes.of({ "aria-label": "Notes" }),
      yCollab(notes.doc.getText("body"), notes.awareness),
    ],
    doc: notes.doc.getText("body").toString(),
  });
}

notes.subscribe(showStatus);
notes.awareness.on("change", showCrew);
showStatus();
showCrew();
