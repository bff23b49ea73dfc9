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
  // What is typed without a connection survives a reload.
  keep: {
    load: () => localStorage.getItem("unsaved notes"),
    save: (text) =>
      text === null
        ? localStorage.removeItem("unsaved notes")
        : localStorage.setItem("unsaved notes", text),
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

function showStatus(): void {
  const { status, unsaved, refused, synced } = notes.getSnapshot();
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
