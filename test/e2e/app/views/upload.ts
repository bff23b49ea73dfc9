/** A file that was chosen stays chosen. Nothing is uploaded. */
import { type AnyView, defineView } from "holdfast/live";
import { html } from "hono/html";
import { facts } from "../facts.ts";

export const Upload: AnyView = defineView({
  name: "upload",
  state: () => ({ title: "", sent: [] as string[], changes: 0, recoveries: 0 }),
  events: {
    edit({ state }, input, { recovering }) {
      const fields: { readonly title?: unknown } = Object(input);
      state.title = String(fields.title ?? "");
      state.sent = Object.keys(fields).sort();
      state.changes++;
      if (recovering) state.recoveries++;
    },
  },
  render: ({ state, ctx }) =>
    html`
      <h1>Upload</h1>
          <form id="upload" data-live-change="edit">
        <label>Title <input id="title" name="title" data-testid="title" value="${state
          .title}" autocomplete="off"></label>
        <label>File <input id="file" type="file" name="file" data-testid="file"></label>
      </form>
          ${facts(ctx, state)}
    `,
});
